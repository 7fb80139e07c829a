//! A queue of pixels by height: the lowest height first, first in first out within a height.

use crate::segment::watershed::Queue;

/// Bits of a radix-sort digit.
const DIGIT_BITS: u32 = 11;

/// Ranks of `keys` (equal keys share one) and the number of keys below each rank, with the total at the end.
pub(crate) fn ranks(keys: Vec<u64>) -> (Vec<u32>, Vec<u32>) {
    let n = keys.len();
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut next = vec![0; n];
    let differ = keys.iter().fold(0, |bits, key| bits | (key ^ keys[0]));
    for shift in (0..u64::BITS).step_by(DIGIT_BITS as usize) {
        let mask = (1 << DIGIT_BITS) - 1;
        if (differ >> shift) & mask == 0 {
            continue;
        }
        let digit = |i: u32| ((keys[i as usize] >> shift) & mask) as usize;
        let mut at = vec![0u32; 1 << DIGIT_BITS];
        order.iter().for_each(|&i| at[digit(i)] += 1);
        let mut sum = 0;
        for count in &mut at {
            sum += std::mem::replace(count, sum);
        }
        for &i in &order {
            let slot = &mut at[digit(i)];
            next[*slot as usize] = i;
            *slot += 1;
        }
        std::mem::swap(&mut order, &mut next);
    }
    let mut ranks = next;
    let mut starts = Vec::new();
    let mut last = None;
    for (position, &i) in order.iter().enumerate() {
        let key = keys[i as usize];
        if last != Some(key) {
            starts.push(position as u32);
            last = Some(key);
        }
        ranks[i as usize] = starts.len() as u32 - 1;
    }
    starts.push(n as u32);
    (ranks, starts)
}

/// One bucket a rank, each with room for every pixel of its height; a tree of bits finds the lowest that is not empty.
pub(crate) struct HeightQueue {
    entries: Vec<u32>,
    /// Next entry to leave and next free place of each bucket.
    ends: Vec<(u32, u32)>,
    /// Level 0 has a bit for each bucket, each level above one for each word of the level below.
    levels: Vec<Vec<u64>>,
    n_pushed: usize,
}

impl HeightQueue {
    /// An empty queue; `starts` as `ranks` returns it, for at most `n` pixels.
    pub(crate) fn new(starts: Vec<u32>, n: usize) -> Self {
        let mut words = starts.len().div_ceil(64);
        let mut levels = vec![vec![0; words]];
        while words > 1 {
            words = words.div_ceil(64);
            levels.push(vec![0; words]);
        }
        Self {
            entries: vec![0; n],
            ends: starts.into_iter().map(|start| (start, start)).collect(),
            levels,
            n_pushed: 0,
        }
    }
}

impl Queue for HeightQueue {
    #[inline(always)]
    fn push(&mut self, rank: usize, entry: u32) {
        let (head, tail) = &mut self.ends[rank];
        self.entries[*tail as usize] = entry;
        self.n_pushed += 1;
        *tail += 1;
        if *head + 1 == *tail {
            let mut bit = rank;
            for level in &mut self.levels {
                let word = &mut level[bit / 64];
                let was_empty = *word == 0;
                *word |= 1 << (bit % 64);
                if !was_empty {
                    break;
                }
                bit /= 64;
            }
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<u32> {
        let mut rank = 0;
        for level in self.levels.iter().rev() {
            let word = level[rank];
            if word == 0 {
                return None;
            }
            rank = 64 * rank + word.trailing_zeros() as usize;
        }
        let (head, tail) = &mut self.ends[rank];
        let entry = self.entries[*head as usize];
        *head += 1;
        if head == tail {
            let mut bit = rank;
            for level in &mut self.levels {
                let word = &mut level[bit / 64];
                *word &= !(1 << (bit % 64));
                if *word != 0 {
                    break;
                }
                bit /= 64;
            }
        }
        Some(entry)
    }

    fn n_pushed(&self) -> usize {
        self.n_pushed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_first_and_first_in_first_out() {
        let (ranks, starts) = ranks(vec![70_000, 5, 70_000, u64::MAX, 5]);
        assert_eq!(ranks, [1, 0, 1, 2, 0]);
        assert_eq!(starts, [0, 2, 4, 5]);
        let mut queue = HeightQueue::new(starts, 5);
        for i in [3, 0, 2, 1, 4] {
            queue.push(ranks[i] as usize, i as u32);
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 4, 0, 2, 3]);
    }
}
