//! Histograms of images: one count a level for integers, given bin edges for floats.
//!
//! An image is cut into a fixed number of row blocks, whatever the thread count; every block has its own tables.

use std::borrow::Cow;

use multiversion::multiversion;
use ndarray::{ArrayView2, Axis, s};

use crate::parallel;
use crate::pixel::Pixel;

/// Row blocks an image is cut into.
const BLOCKS: usize = 8;

/// Values prepared together before they are counted.
pub(super) const CHUNK: usize = 1024;

/// Calls `f` once for each row block with its rows as contiguous pieces; results in order.
pub(super) fn for_blocks<T: Pixel, R: Send>(
    image: ArrayView2<'_, T>,
    threads: usize,
    f: impl Fn(&mut dyn Iterator<Item = Cow<'_, [T]>>) -> R + Sync + Send,
) -> Vec<R> {
    let rows = image.nrows().div_ceil(BLOCKS).max(1);
    let blocks: Vec<_> = image.axis_chunks_iter(Axis(0), rows).collect();
    parallel::map(threads, blocks.len(), |i| {
        let block = blocks[i];
        match block.to_slice() {
            Some(all) => f(&mut all.chunks(CHUNK).map(Cow::Borrowed)),
            None => f(&mut block.rows().into_iter().flat_map(|row| {
                let starts = (0..row.len()).step_by(CHUNK);
                starts.map(move |x| {
                    let end = row.len().min(x + CHUNK);
                    Cow::Owned(row.slice(s![x..end]).to_vec())
                })
            })),
        }
    })
}

/// Smallest and largest value; None for an empty image.
pub fn extent<T: Pixel>(image: ArrayView2<'_, T>, threads: usize) -> Option<(T, T)> {
    if image.is_empty() {
        return None;
    }
    let parts = for_blocks(image, threads, |pieces| {
        let mut range = (T::HIGHEST, T::LOWEST);
        for piece in pieces {
            let (low, high) = extent_of(&piece);
            range = (smaller(range.0, low), larger(range.1, high));
        }
        range
    });
    let whole = (T::HIGHEST, T::LOWEST);
    Some(parts.into_iter().fold(whole, |range, (low, high)| {
        (smaller(range.0, low), larger(range.1, high))
    }))
}

#[inline(always)]
fn smaller<T: Pixel>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

#[inline(always)]
fn larger<T: Pixel>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

#[multiversion(targets("x86_64+avx2"))]
fn extent_of<T: Pixel>(values: &[T]) -> (T, T) {
    const LANES: usize = 32;
    let mut low = [T::HIGHEST; LANES];
    let mut high = [T::LOWEST; LANES];
    let blocks = values.chunks_exact(LANES);
    for &v in blocks.remainder() {
        low[0] = smaller(low[0], v);
        high[0] = larger(high[0], v);
    }
    for block in blocks {
        for i in 0..LANES {
            low[i] = smaller(low[i], block[i]);
            high[i] = larger(high[i], block[i]);
        }
    }
    (
        low.into_iter().fold(T::HIGHEST, smaller),
        high.into_iter().fold(T::LOWEST, larger),
    )
}

/// Number of pixels of each level of an integer image, from level 0 on.
pub fn levels<T: Pixel>(image: ArrayView2<'_, T>, threads: usize) -> Vec<u64> {
    let n = if size_of::<T>() == 1 { 1 << 8 } else { 1 << 16 };
    let parts = for_blocks(image, threads, |pieces| {
        // Two tables: equal neighbours would wait for each other's store.
        let mut even = vec![0u32; n];
        let mut odd = vec![0u32; n];
        for piece in pieces {
            let pairs = piece.chunks_exact(2);
            for &v in pairs.remainder() {
                even[usize::from(v.to_u16())] += 1;
            }
            for pair in pairs {
                even[usize::from(pair[0].to_u16())] += 1;
                odd[usize::from(pair[1].to_u16())] += 1;
            }
        }
        (even, odd)
    });
    let mut counts = vec![0u64; n];
    for (even, odd) in parts {
        for ((c, e), o) in counts.iter_mut().zip(even).zip(odd) {
            *c += u64::from(e) + u64::from(o);
        }
    }
    counts
}

/// Number of pixels in each bin: edges[i] <= value < edges[i + 1], the last bin closed (numpy's meaning). `edges` are equally
/// spaced up to rounding and hold every pixel.
pub fn bins<T: Pixel>(image: ArrayView2<'_, T>, edges: &[f64], threads: usize) -> Vec<u64> {
    let n = edges.len().saturating_sub(1);
    if n == 0 {
        return Vec::new();
    }
    let low = edges[0];
    let scale = n as f64 / (edges[n] - low);
    let parts = for_blocks(image, threads, |pieces| {
        let mut even = vec![0u32; n];
        let mut odd = vec![0u32; n];
        let mut index = [0u32; CHUNK];
        for piece in pieces {
            let index = &mut index[..piece.len()];
            guess(&piece, low, scale, n as u32 - 1, index);
            for (k, (&v, &i)) in piece.iter().zip(&*index).enumerate() {
                let v = v.to_f64();
                let i = i as usize;
                // The guess is off by at most one, by rounding.
                let i = i - usize::from(i > 0 && v < edges[i]);
                let i = i + usize::from(i + 1 < n && v >= edges[i + 1]);
                let table = if k % 2 == 0 { &mut even } else { &mut odd };
                table[i] += 1;
            }
        }
        (even, odd)
    });
    let mut counts = vec![0u64; n];
    for (even, odd) in parts {
        for ((c, e), o) in counts.iter_mut().zip(even).zip(odd) {
            *c += u64::from(e) + u64::from(o);
        }
    }
    counts
}

#[multiversion(targets("x86_64+avx2"))]
fn guess<T: Pixel>(values: &[T], low: f64, scale: f64, last: u32, index: &mut [u32]) {
    let last = f64::from(last);
    for (i, &v) in index.iter_mut().zip(values) {
        *i = whole((v.to_f64() - low) * scale, last);
    }
}

/// Whole part of `x`, between 0 and `last` (below 2³²); a whole number may give the one below. A plain conversion would not be done
/// for several values at once.
#[inline(always)]
pub(super) fn whole(x: f64, last: f64) -> u32 {
    // Adding 2⁵² rounds to whole numbers and leaves them in the low bits.
    const SHIFT: f64 = (1u64 << 52) as f64;
    let x = if x - 0.5 > 0.0 { x - 0.5 } else { 0.0 };
    let x = if x < last { x } else { last };
    (x + SHIFT).to_bits() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn levels_and_extent_of_strided_views() {
        let image = Array2::from_shape_fn((30, 41), |(y, x)| (7 * y + x * x) as u16);
        let view = image.slice(s![..;-3, 1..;2]);
        let counts = levels(view, 3);
        assert_eq!(counts.iter().sum::<u64>(), view.len() as u64);
        for (level, &n) in counts.iter().enumerate() {
            let expected = view.iter().filter(|&&v| usize::from(v) == level).count();
            assert_eq!(n, expected as u64);
        }
        let (low, high) = extent(view, 2).unwrap();
        assert_eq!(low, *view.iter().min().unwrap());
        assert_eq!(high, *view.iter().max().unwrap());
        assert!(extent(image.slice(s![..0, ..]), 1).is_none());
    }

    #[test]
    fn bins_keep_to_their_edges() {
        let image = Array2::from_shape_fn((9, 50), |(y, x)| ((y * 50 + x) as f32 * 0.37).sin());
        let (low, high) = extent(image.view(), 1).unwrap();
        let edges: Vec<f64> = (0..=20)
            .map(|i| f64::from(low) + f64::from(high - low) * f64::from(i) / 20.0)
            .collect();
        let counts = bins(image.view(), &edges, 1);
        assert_eq!(counts.iter().sum::<u64>(), 450);
        for i in 0..20 {
            let inside = |v: f64| v >= edges[i] && (v < edges[i + 1] || i == 19);
            let expected = image.iter().filter(|&&v| inside(f64::from(v))).count();
            assert_eq!(counts[i], expected as u64);
        }
    }
}
