//! A queue of pixels by height: the lowest height first, first in first out within a height.

use crate::segment::queue::Queue;

/// Bits of a radix-sort digit.
const DIGIT_BITS: u32 = 11;

/// Distinct keys up to which they are counted in a table that stays in the cache; distance maps and integer images have few.
const FEW: usize = 1 << 14;

/// Ranks of `keys` (equal keys share one) and the number of keys below each rank, with the total at the end.
pub(crate) fn ranks(keys: Vec<u64>) -> (Vec<u32>, Vec<u32>) {
    ranks_of_few(&keys).unwrap_or_else(|| ranks_of_many(&keys))
}

/// `ranks` where there are at most `FEW` distinct keys.
fn ranks_of_few(keys: &[u64]) -> Option<(Vec<u32>, Vec<u32>)> {
    const SLOTS: usize = 4 * FEW;
    const EMPTY: u32 = u32::MAX;
    // The multiplier of Fibonacci hashing spreads keys that differ in few bits.
    let slot_of = |key: u64| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize % SLOTS;
    let mut slots = vec![EMPTY; SLOTS];
    let mut distinct: Vec<u64> = Vec::new();
    let mut ranks = Vec::with_capacity(keys.len());
    for &key in keys {
        let mut slot = slot_of(key);
        let number = loop {
            let number = slots[slot];
            if number == EMPTY {
                if distinct.len() == FEW {
                    return None;
                }
                slots[slot] = distinct.len() as u32;
                distinct.push(key);
                break slots[slot];
            }
            if distinct[number as usize] == key {
                break number;
            }
            slot = (slot + 1) % SLOTS;
        };
        ranks.push(number);
    }
    let mut sorted: Vec<u32> = (0..distinct.len() as u32).collect();
    sorted.sort_unstable_by_key(|&number| distinct[number as usize]);
    let mut rank_of = vec![0; distinct.len()];
    for (rank, &number) in sorted.iter().enumerate() {
        rank_of[number as usize] = rank as u32;
    }
    let mut starts = vec![0; distinct.len() + 1];
    for rank in &mut ranks {
        *rank = rank_of[*rank as usize];
        starts[*rank as usize + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    Some((ranks, starts))
}

/// `ranks` by radix sort.
fn ranks_of_many(keys: &[u64]) -> (Vec<u32>, Vec<u32>) {
    let n = keys.len();
    let differ = keys.iter().fold(0, |bits, key| bits | (key ^ keys[0]));
    let order = if differ >> 32 == 0 {
        // Key and index in one word: no look-up in every pass.
        let words = keys.iter().enumerate();
        let words = words.map(|(i, key)| (key << 32) | i as u64).collect();
        sorted(words, differ << 32, |word| word)
    } else {
        sorted((0..n as u64).collect(), differ, |i| keys[i as usize])
    };
    let mut ranks = vec![0; n];
    let mut starts = Vec::new();
    let mut last = None;
    for (position, &word) in order.iter().enumerate() {
        let i = word as u32 as usize;
        if last != Some(keys[i]) {
            starts.push(position as u32);
            last = Some(keys[i]);
        }
        ranks[i] = starts.len() as u32 - 1;
    }
    starts.push(n as u32);
    (ranks, starts)
}

/// `words` sorted by the bits of `key_of` that `differ` has, equal ones in their order.
fn sorted(mut words: Vec<u64>, differ: u64, key_of: impl Fn(u64) -> u64) -> Vec<u64> {
    let mask = (1 << DIGIT_BITS) - 1;
    let mut next = vec![0; words.len()];
    let mut shift = differ.trailing_zeros();
    while shift < u64::BITS && differ >> shift != 0 {
        let digit = |word: u64| ((key_of(word) >> shift) & mask) as usize;
        let mut at = vec![0u32; 1 << DIGIT_BITS];
        words.iter().for_each(|&word| at[digit(word)] += 1);
        let mut sum = 0;
        for count in &mut at {
            sum += std::mem::replace(count, sum);
        }
        for &word in &words {
            let place = &mut at[digit(word)];
            next[*place as usize] = word;
            *place += 1;
        }
        std::mem::swap(&mut words, &mut next);
        shift += DIGIT_BITS;
    }
    words
}

/// One bucket a rank, each with room for every pixel of its height; a tree of bits finds the lowest that is not empty.
pub(crate) struct HeightQueue {
    entries: Vec<u32>,
    /// Next entry to leave and next free place of each bucket.
    ends: Vec<(u32, u32)>,
    /// Level 0 has a bit for each bucket, each level above one for each word of the level below.
    levels: Vec<Vec<u64>>,
    /// No bucket below this one holds anything.
    lowest: usize,
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
            lowest: 0,
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
        self.lowest = self.lowest.min(rank);
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
        let (head, tail) = self.ends[self.lowest];
        if head == tail {
            let mut rank = 0;
            for level in self.levels.iter().rev() {
                let word = level[rank];
                if word == 0 {
                    return None;
                }
                rank = 64 * rank + word.trailing_zeros() as usize;
            }
            self.lowest = rank;
        }
        let rank = self.lowest;
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
    fn many_and_few_agree() {
        let keys: Vec<u64> = (0..5000u64).map(|i| (i * 7919) % 3001).collect();
        assert_eq!(ranks_of_few(&keys), Some(ranks_of_many(&keys)));
        let wide: Vec<u64> = keys.iter().map(|key| key << 40 | key).collect();
        assert_eq!(ranks_of_few(&wide), Some(ranks_of_many(&wide)));
        assert_eq!(ranks_of_few(&(0..20_000).collect::<Vec<u64>>()), None);
    }

    #[test]
    fn lowest_first_and_first_in_first_out() {
        let (ranks, starts) = ranks(vec![70_000, 5, 70_000, u64::MAX, 5]);
        assert_eq!(ranks, [1, 0, 1, 2, 0]);
        assert_eq!(starts, [0, 2, 4, 5]);
        assert_eq!(
            ranks_of_many(&[70_000, 5, 70_000, u64::MAX, 5]),
            (ranks.clone(), starts.clone())
        );
        let mut queue = HeightQueue::new(starts, 5);
        for i in [3, 0, 2, 1, 4] {
            queue.push(ranks[i] as usize, i as u32);
        }
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 4, 0, 2, 3]);
    }
}
