//! The one pass over a label image: runs of equal labels, grouped by label, and the foreground as bits.

use ndarray::ArrayView2;

use crate::measure::bits::{BitGrid, set_bits};
use crate::parallel;

/// Rows read as one piece of work.
const BLOCK_ROWS: usize = 64;
/// Labels skipped or looked at together.
const CHUNK: usize = 32;

/// Columns `x0..x1` of row `y`, all of one label.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) y: u32,
    pub(crate) x0: u32,
    pub(crate) x1: u32,
}

/// The pixels of one label.
pub(crate) struct Region<'a> {
    pub(crate) label: i32,
    /// By row, then column.
    pub(crate) runs: &'a [Run],
    /// Bounding box: rows `y0..y1`, columns `x0..x1`.
    pub(crate) y0: usize,
    pub(crate) x0: usize,
    pub(crate) y1: usize,
    pub(crate) x1: usize,
}

impl Region<'_> {
    /// Rows of the bounding box.
    pub(crate) fn height(&self) -> usize {
        self.y1 - self.y0
    }

    /// Columns of the bounding box.
    pub(crate) fn width(&self) -> usize {
        self.x1 - self.x0
    }

    /// The region as bits, with `pad` empty pixels around its box.
    pub(crate) fn mask(&self, pad: usize) -> BitGrid {
        let mut mask = BitGrid::new(self.height() + 2 * pad, self.width() + 2 * pad);
        for run in self.runs {
            let (x0, x1) = (run.x0 as usize - self.x0, run.x1 as usize - self.x0);
            mask.set_run(run.y as usize - self.y0 + pad, x0 + pad, x1 + pad);
        }
        mask
    }
}

/// A label image as runs.
pub(crate) struct LabelRuns {
    runs: Vec<Run>,
    /// Label and the end of its runs, by label.
    ends: Vec<(i32, usize)>,
    /// Pixels of any label.
    pub(crate) foreground: BitGrid,
}

impl LabelRuns {
    /// Reads a label image; labels below 1 are background.
    pub(crate) fn new(labels: ArrayView2<'_, i32>, threads: usize) -> Self {
        let (height, width) = labels.dim();
        let words = width.div_ceil(64);
        let blocks = parallel::map(threads, height.div_ceil(BLOCK_ROWS), |i| {
            let rows = i * BLOCK_ROWS..((i + 1) * BLOCK_ROWS).min(height);
            let mut found = Vec::new();
            let mut bits = vec![0u64; rows.len() * words];
            let mut buffer = Vec::new();
            for (y, bits) in rows.zip(bits.chunks_mut(words.max(1))) {
                let row = labels.row(y);
                let row = match row.to_slice() {
                    Some(slice) => slice,
                    None => {
                        buffer.clear();
                        buffer.extend(row.iter().copied());
                        &buffer
                    }
                };
                runs_of_row(row, |label, x0, x1| {
                    set_bits(bits, x0, x1);
                    let run = Run {
                        y: y as u32,
                        x0: x0 as u32,
                        x1: x1 as u32,
                    };
                    found.push((label, run));
                });
            }
            (found, bits)
        });
        let mut all = Vec::with_capacity(blocks.iter().map(|(found, _)| found.len()).sum());
        let mut bits = Vec::with_capacity(height * words);
        for (found, block) in blocks {
            all.extend(found);
            bits.extend(block);
        }
        // Stable, so the runs of a label stay in reading order.
        all.sort_by_key(|(label, _)| *label);
        let mut ends: Vec<(i32, usize)> = Vec::new();
        for (i, (label, _)) in all.iter().enumerate() {
            match ends.last_mut() {
                Some(last) if last.0 == *label => last.1 = i + 1,
                _ => ends.push((*label, i + 1)),
            }
        }
        Self {
            runs: all.into_iter().map(|(_, run)| run).collect(),
            ends,
            foreground: BitGrid::from_words(height, width, bits),
        }
    }

    /// Number of labels.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The `i`-th label in ascending order.
    pub(crate) fn region(&self, i: usize) -> Region<'_> {
        let start = if i == 0 { 0 } else { self.ends[i - 1].1 };
        let (label, end) = self.ends[i];
        let runs = &self.runs[start..end];
        Region {
            label,
            runs,
            y0: runs[0].y as usize,
            y1: runs[runs.len() - 1].y as usize + 1,
            x0: runs.iter().map(|run| run.x0).min().unwrap_or(0) as usize,
            x1: runs.iter().map(|run| run.x1).max().unwrap_or(0) as usize,
        }
    }
}

/// Calls `f(label, x0, x1)` for the runs of labels above 0.
fn runs_of_row(row: &[i32], mut f: impl FnMut(i32, usize, usize)) {
    let n = row.len();
    let mut x = 0;
    while x < n {
        if row[x] <= 0 {
            x += 1;
            while x + CHUNK <= n && row[x..x + CHUNK].iter().fold(0, |a, &v| a | v) == 0 {
                x += CHUNK;
            }
            continue;
        }
        let (label, start) = (row[x], x);
        while x + CHUNK <= n && row[x..x + CHUNK].iter().fold(0, |a, &v| a | (v ^ label)) == 0 {
            x += CHUNK;
        }
        while x < n && row[x] == label {
            x += 1;
        }
        f(label, start, x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn groups_runs_by_label() {
        let mut labels = Array2::<i32>::zeros((200, 150));
        labels[[3, 5]] = 7;
        labels[[199, 149]] = 7;
        labels.slice_mut(ndarray::s![10..20, 30..90]).fill(2);
        for threads in [1, 3] {
            let runs = LabelRuns::new(labels.view(), threads);
            assert_eq!(runs.len(), 2);
            let (a, b) = (runs.region(0), runs.region(1));
            assert_eq!((a.label, a.y0, a.x0, a.y1, a.x1), (2, 10, 30, 20, 90));
            assert_eq!((b.label, b.y0, b.x0, b.y1, b.x1), (7, 3, 5, 200, 150));
            assert!(runs.foreground.get(15, 89) && !runs.foreground.get(15, 90));
        }
    }
}
