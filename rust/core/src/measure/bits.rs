//! Masks of one bit a pixel: 64 pixels are counted, shifted or dilated at once.

/// A mask; bit `x % 64` of word `x / 64` of a row is column `x`.
#[derive(Clone)]
pub(crate) struct BitGrid {
    height: usize,
    words: usize,
    data: Vec<u64>,
}

impl BitGrid {
    /// An empty mask of at least `width` columns.
    pub(crate) fn new(height: usize, width: usize) -> Self {
        let words = width.div_ceil(64);
        Self {
            height,
            words,
            data: vec![0; height * words],
        }
    }

    /// A mask from its rows' words.
    pub(crate) fn from_words(height: usize, width: usize, data: Vec<u64>) -> Self {
        let words = width.div_ceil(64);
        debug_assert_eq!(data.len(), height * words);
        Self {
            height,
            words,
            data,
        }
    }

    /// Rows.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The words of a row.
    pub(crate) fn row(&self, y: usize) -> &[u64] {
        &self.data[y * self.words..(y + 1) * self.words]
    }

    /// Sets the columns `x0..x1` of row `y`.
    pub(crate) fn set_run(&mut self, y: usize, x0: usize, x1: usize) {
        let words = self.words;
        set_bits(&mut self.data[y * words..(y + 1) * words], x0, x1);
    }

    /// Whether a pixel is set; false outside the grid.
    #[inline(always)]
    pub(crate) fn get(&self, y: isize, x: isize) -> bool {
        if (y as usize) < self.height && ((x >> 6) as usize) < self.words {
            self.data[y as usize * self.words + (x >> 6) as usize] >> (x & 63) & 1 == 1
        } else {
            false
        }
    }

    /// Replaces the words of a row.
    pub(crate) fn set_words(&mut self, y: usize, words: &[u64]) {
        let n = self.words;
        self.data[y * n..(y + 1) * n].copy_from_slice(words);
    }

    /// The pixels left of, at and right of column `x` of row `y`, as bits 0, 1, 2.
    #[inline(always)]
    pub(crate) fn triple(&self, y: usize, x: usize) -> usize {
        let row = self.row(y);
        let (k, shift) = (x / 64, x % 64);
        let bits = match shift {
            0 => row[k] << 1 | if k > 0 { row[k - 1] >> 63 } else { 0 },
            63 => row[k] >> 62 | row.get(k + 1).map_or(0, |next| next << 2),
            _ => row[k] >> (shift - 1),
        };
        (bits & 7) as usize
    }

    /// Copy of `height` × `width` pixels from row `y0` and column `x0` (may be negative); outside is empty.
    pub(crate) fn window(&self, y0: isize, x0: isize, height: usize, width: usize) -> Self {
        let mut out = Self::new(height, width);
        let (word, shift) = (x0.div_euclid(64), x0.rem_euclid(64) as u32);
        for y in 0..height {
            let source = y0 + y as isize;
            if source < 0 || source as usize >= self.height {
                continue;
            }
            let row = self.row(source as usize);
            let at = |k: isize| {
                if k >= 0 {
                    row.get(k as usize).copied().unwrap_or(0)
                } else {
                    0
                }
            };
            for k in 0..out.words {
                let low = at(word + k as isize) >> shift;
                let high = if shift == 0 {
                    0
                } else {
                    at(word + k as isize + 1) << (64 - shift)
                };
                out.data[y * out.words + k] = low | high;
            }
        }
        out
    }

    /// Mask grown by `steps` pixels: squares and crosses in turn, an octagon.
    pub(crate) fn dilated(&self, steps: usize) -> Self {
        let mut now = self.clone();
        let n = self.words;
        let mut wide = vec![0u64; self.data.len()];
        let mut next = vec![0u64; self.data.len()];
        for step in 0..steps {
            for (out, row) in wide.chunks_mut(n.max(1)).zip(now.data.chunks(n.max(1))) {
                for k in 0..n {
                    out[k] = row[k] | shifted_up(row, k) | shifted_down(row, k);
                }
            }
            // A square takes its neighbour rows widened, a cross as they are.
            let vertical = if step % 2 == 0 { &wide } else { &now.data };
            next.copy_from_slice(&wide);
            if self.height > 1 {
                let rest = self.data.len() - n;
                for (out, below) in next[..rest].iter_mut().zip(&vertical[n..]) {
                    *out |= below;
                }
                for (out, above) in next[n..].iter_mut().zip(&vertical[..rest]) {
                    *out |= above;
                }
            }
            std::mem::swap(&mut now.data, &mut next);
        }
        now
    }

    /// Clears every pixel that `other`, of the same size, has set.
    pub(crate) fn clear(&mut self, other: &Self) {
        for (a, b) in self.data.iter_mut().zip(&other.data) {
            *a &= !b;
        }
    }

    /// Number of set pixels.
    pub(crate) fn count(&self) -> usize {
        self.data
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Calls `f(y, x)` for every set pixel, row by row.
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, usize)) {
        for y in 0..self.height {
            for (k, &word) in self.row(y).iter().enumerate() {
                let mut rest = word;
                while rest != 0 {
                    f(y, k * 64 + rest.trailing_zeros() as usize);
                    rest &= rest - 1;
                }
            }
        }
    }
}

/// Sets the bits `x0..x1` of a row.
pub(crate) fn set_bits(row: &mut [u64], x0: usize, x1: usize) {
    if x0 >= x1 {
        return;
    }
    let (first, last) = (x0 / 64, (x1 - 1) / 64);
    let (low, high) = (u64::MAX << (x0 % 64), u64::MAX >> (63 - (x1 - 1) % 64));
    if first == last {
        row[first] |= low & high;
    } else {
        row[first] |= low;
        row[first + 1..last].fill(u64::MAX);
        row[last] |= high;
    }
}

/// Word `k` of a row moved one column to larger x: bit x holds column x - 1.
#[inline(always)]
pub(crate) fn shifted_up(row: &[u64], k: usize) -> u64 {
    row[k] << 1 | if k > 0 { row[k - 1] >> 63 } else { 0 }
}

/// Word `k` of a row moved one column to smaller x: bit x holds column x + 1.
#[inline(always)]
pub(crate) fn shifted_down(row: &[u64], k: usize) -> u64 {
    row[k] >> 1 | row.get(k + 1).map_or(0, |next| next << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(grid: &BitGrid) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        grid.for_each(|y, x| out.push((y, x)));
        out
    }

    #[test]
    fn runs_cross_words() {
        let mut grid = BitGrid::new(2, 200);
        grid.set_run(1, 60, 140);
        assert_eq!(pixels(&grid), (60..140).map(|x| (1, x)).collect::<Vec<_>>());
        assert!(grid.get(1, 139) && !grid.get(1, 140) && !grid.get(-1, 60) && !grid.get(1, -1));
    }

    #[test]
    fn windows_read_at_any_offset() {
        let mut grid = BitGrid::new(3, 130);
        grid.set_run(1, 62, 66);
        assert_eq!(
            pixels(&grid.window(0, 60, 3, 8)),
            (2..6).map(|x| (1, x)).collect::<Vec<_>>()
        );
        assert_eq!(
            pixels(&grid.window(-2, -5, 6, 80)),
            (67..71).map(|x| (3, x)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn two_steps_grow_an_octagon() {
        let mut grid = BitGrid::new(7, 7);
        grid.set_run(3, 3, 4);
        assert_eq!(pixels(&grid.dilated(1)).len(), 9);
        assert_eq!(pixels(&grid.dilated(2)).len(), 21);
    }
}
