//! Threads for the kernels: one cached pool per thread count, fixed partitions.
//!
//! Partitions never depend on the thread count, so results are the same bit for bit. One thread means the calling thread,
//! without a pool: Dask workers that run a kernel each do not queue on a shared one.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::prelude::*;

static POOLS: LazyLock<Mutex<BTreeMap<usize, Arc<ThreadPool>>>> = LazyLock::new(Mutex::default);

/// The cached pool of `threads` threads, or None where the calling thread does the work.
fn pool(threads: usize) -> Option<Arc<ThreadPool>> {
    if threads <= 1 {
        return None;
    }
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Some(Arc::clone(pool));
    }
    // A machine that refuses threads still gets its result, from the calling thread.
    let built = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("nanospa-{i}"))
        .build()
        .ok()?;
    let built = Arc::new(built);
    pools.insert(threads, Arc::clone(&built));
    Some(built)
}

/// `f(0), f(1), …, f(n - 1)` in order.
pub fn map<R: Send>(threads: usize, n: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    match pool(threads.min(n)) {
        None => (0..n).map(f).collect(),
        Some(pool) => pool.install(|| (0..n).into_par_iter().map(f).collect()),
    }
}

/// Calls `f(i, block)` for the consecutive blocks of `block_len` elements of `data` (the last may be shorter).
pub fn for_each_block<T: Send>(
    threads: usize,
    data: &mut [T],
    block_len: usize,
    f: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    let block_len = block_len.max(1);
    let n = data.len().div_ceil(block_len);
    match pool(threads.min(n)) {
        None => data
            .chunks_mut(block_len)
            .enumerate()
            .for_each(|(i, block)| f(i, block)),
        Some(pool) => pool.install(|| {
            data.par_chunks_mut(block_len)
                .enumerate()
                .for_each(|(i, block)| f(i, block));
        }),
    }
}

/// Calls `f(i, item)` for every item, each item handed out once; for partitions that are not plain slices.
pub fn for_each<T: Send>(threads: usize, items: Vec<T>, f: impl Fn(usize, T) + Sync + Send) {
    match pool(threads.min(items.len())) {
        None => items
            .into_iter()
            .enumerate()
            .for_each(|(i, item)| f(i, item)),
        Some(pool) => pool.install(|| {
            items
                .into_par_iter()
                .enumerate()
                .for_each(|(i, item)| f(i, item));
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_keeps_order_for_any_thread_count() {
        let expected: Vec<usize> = (0..1000).map(|i| i * i).collect();
        for threads in [0, 1, 2, 5] {
            assert_eq!(map(threads, 1000, |i| i * i), expected);
        }
    }

    #[test]
    fn blocks_cover_everything_once() {
        for threads in [1, 3] {
            let mut data = vec![0u32; 1003];
            for_each_block(threads, &mut data, 100, |i, block| {
                block.iter_mut().for_each(|v| *v += i as u32 + 1);
            });
            assert!(
                data.iter()
                    .enumerate()
                    .all(|(k, &v)| v == k as u32 / 100 + 1)
            );
        }
    }

    #[test]
    fn pools_are_cached() {
        assert!(Arc::ptr_eq(&pool(2).unwrap(), &pool(2).unwrap()));
        assert!(pool(1).is_none());
    }
}
