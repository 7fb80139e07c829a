//! Seeds: maxima of a distance map within each label, one for each part that flooding shall keep.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, s};

use crate::error::{Error, Result};
use crate::parallel;
use crate::union_find::{flatten, unite};

/// Rows searched as one piece of work.
const BLOCK_ROWS: usize = 128;

/// Pixels of a row that are looked at together.
const STRETCH: usize = 64;

/// What the separation means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Maxima nearer than this many pixels (along y and along x) are one seed.
    Distance,
    /// Side of the square window of ParticleSpy 0.5.1: real separation about half, outermost pixels of the image never seeds.
    ParticleSpy,
}

/// A pixel of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedPixel {
    /// Row.
    pub y: usize,
    /// Column.
    pub x: usize,
    /// Number of the seed, from 1, in raster order of first pixels.
    pub seed: i32,
}

/// Window of a maximum: how far it looks up and left, and how far down and right.
struct Window {
    before: usize,
    after: usize,
}

/// Pixels of the seeds of `distance` within `labels`, in raster order, and the number of seeds.
pub fn seeds(
    distance: ArrayView2<'_, f32>,
    labels: ArrayView2<'_, i32>,
    separation_px: usize,
    meaning: Meaning,
    threads: usize,
) -> Result<(Vec<SeedPixel>, usize)> {
    if distance.dim() != labels.dim() {
        return Err(Error::ShapeMismatch {
            argument: "labels",
            expected: distance.shape().to_vec(),
            found: labels.shape().to_vec(),
        });
    }
    if separation_px == 0 {
        return Err(Error::invalid("separation_px", "at least 1", separation_px));
    }
    let (before, after, floor, margin) = match meaning {
        Meaning::Distance => {
            let reach = (separation_px - 1).max(1);
            (reach, reach, 0.0, 0)
        }
        Meaning::ParticleSpy => {
            let before = separation_px / 2;
            let floor = distance.iter().copied().fold(f32::INFINITY, f32::min);
            (before, separation_px - 1 - before, floor, 1)
        }
    };
    let (height, width) = distance.dim();
    let search = Search {
        distance,
        labels,
        window: Window { before, after },
        floor,
        columns: margin..width.saturating_sub(margin),
    };
    let rows = margin..height.saturating_sub(margin);
    let found = parallel::map(threads, rows.len().div_ceil(BLOCK_ROWS), |i| {
        let first = rows.start + i * BLOCK_ROWS;
        search.rows(first..(first + BLOCK_ROWS).min(rows.end))
    });
    let maxima: Vec<(usize, usize)> = found.into_iter().flatten().collect();
    let mut parents: Vec<u32> = (0..maxima.len() as u32).collect();
    match meaning {
        Meaning::Distance => join(&maxima, &mut parents, before, |(ay, ax), (by, bx)| {
            labels[[ay, ax]] == labels[[by, bx]]
        }),
        Meaning::ParticleSpy => join(&maxima, &mut parents, 1, |(ay, ax), (by, bx)| {
            ay.abs_diff(by) + ax.abs_diff(bx) == 1
        }),
    }
    let n = flatten(&mut parents);
    let pixels = maxima.iter().zip(&parents);
    let pixels = pixels.map(|(&(y, x), &seed)| SeedPixel {
        y,
        x,
        seed: seed as i32 + 1,
    });
    Ok((pixels.collect(), n))
}

/// A row with one background pixel on either side.
#[derive(Default)]
struct Padded {
    distances: Vec<f32>,
    labels: Vec<i32>,
}

struct Search<'a> {
    distance: ArrayView2<'a, f32>,
    labels: ArrayView2<'a, i32>,
    window: Window,
    floor: f32,
    columns: Range<usize>,
}

impl Search<'_> {
    /// Maxima in `rows`, in raster order.
    fn rows(&self, rows: Range<usize>) -> Vec<(usize, usize)> {
        let width = self.distance.dim().1;
        let mut maxima = Vec::new();
        let mut near = [Padded::default(), Padded::default(), Padded::default()];
        near.iter_mut().for_each(|row| row.clear(width));
        self.fill(&mut near[1], rows.start.checked_sub(1));
        self.fill(&mut near[2], Some(rows.start));
        // A window narrower than three pixels does not hold the direct neighbours.
        let narrow = self.window.before == 0 || self.window.after == 0;
        let mut flags = [0; STRETCH];
        for y in rows {
            near.rotate_left(1);
            self.fill(&mut near[2], Some(y + 1));
            for start in (0..width).step_by(STRETCH) {
                let end = (start + STRETCH).min(width);
                // Most of a frame is background: whole stretches of it are passed at once.
                let any = near[1].labels[start + 1..end + 1]
                    .iter()
                    .fold(0, |any, &l| any | l);
                if any == 0 {
                    continue;
                }
                let flags = &mut flags[..end - start];
                if narrow {
                    flags.fill(0);
                } else {
                    below_neighbours(&near, start, flags);
                }
                for (i, _) in flags.iter().enumerate().filter(|(_, below)| **below == 0) {
                    let x = start + i;
                    let (label, value) = (near[1].labels[x + 1], near[1].distances[x + 1]);
                    let eligible = label > 0 && value > self.floor && self.columns.contains(&x);
                    if eligible && !self.higher_in_window(y, x, label, value) {
                        maxima.push((y, x));
                    }
                }
            }
        }
        maxima
    }

    /// Copies the row `y`, if there is one.
    fn fill(&self, row: &mut Padded, y: Option<usize>) {
        let (height, width) = self.distance.dim();
        match y {
            Some(y) if y < height => {
                copy(self.distance.row(y), &mut row.distances[1..=width]);
                copy(self.labels.row(y), &mut row.labels[1..=width]);
            }
            _ => row.clear(width),
        }
    }

    /// Whether the window about (y, x) has a pixel of `label` above `value`.
    fn higher_in_window(&self, y: usize, x: usize, label: i32, value: f32) -> bool {
        let (height, width) = self.distance.dim();
        let Window { before, after } = self.window;
        let (top, bottom) = (y.saturating_sub(before), (y + after).min(height - 1));
        let (left, right) = (x.saturating_sub(before), (x + after).min(width - 1));
        // Along a ridge the next higher pixel is close: rows are looked at from the middle outwards.
        let rows = (0..=before.max(after)).flat_map(|step| [y.checked_sub(step), Some(y + step)]);
        for row in rows.flatten().filter(|row| (top..=bottom).contains(row)) {
            let distances = self.distance.slice(s![row, left..=right]);
            let labels = self.labels.slice(s![row, left..=right]);
            let higher = match (distances.as_slice(), labels.as_slice()) {
                (Some(distances), Some(labels)) => {
                    let pairs = distances.iter().zip(labels);
                    pairs.fold(false, |any, (&d, &l)| any | (d > value) & (l == label))
                }
                _ => distances
                    .iter()
                    .zip(labels)
                    .any(|(&d, &l)| d > value && l == label),
            };
            if higher {
                return true;
            }
        }
        false
    }
}

impl Padded {
    fn clear(&mut self, width: usize) {
        self.distances.clear();
        self.distances.resize(width + 2, 0.0);
        self.labels.clear();
        self.labels.resize(width + 2, 0);
    }
}

fn copy<T: Copy>(row: ArrayView1<'_, T>, to: &mut [T]) {
    match row.to_slice() {
        Some(row) => to.copy_from_slice(row),
        None => to.iter_mut().zip(row).for_each(|(to, &from)| *to = from),
    }
}

/// Non-zero for each pixel of the middle row, from `start` on, that is below a direct neighbour of its label.
fn below_neighbours(near: &[Padded; 3], start: usize, below: &mut [i32]) {
    let n = below.len();
    let middle = &near[1].distances[start + 1..][..n];
    let own = &near[1].labels[start + 1..][..n];
    below.fill(0);
    for (i, row) in near.iter().enumerate() {
        for step in 0..3 {
            if (i, step) == (1, 1) {
                continue;
            }
            let distances = &row.distances[start + step..][..n];
            let labels = &row.labels[start + step..][..n];
            for k in 0..n {
                below[k] |= i32::from(distances[k] > middle[k]) & i32::from(labels[k] == own[k]);
            }
        }
    }
}

/// Joins every two of `maxima` (raster order) within `reach` rows and columns of each other that `same` accepts.
fn join(
    maxima: &[(usize, usize)],
    parents: &mut [u32],
    reach: usize,
    same: impl Fn((usize, usize), (usize, usize)) -> bool,
) {
    for (i, &(y, x)) in maxima.iter().enumerate() {
        for row in y.saturating_sub(reach)..=y {
            let start = maxima[..i].partition_point(|&at| at < (row, x.saturating_sub(reach)));
            for (j, &other) in maxima[..i].iter().enumerate().skip(start) {
                if other > (row, x + reach) {
                    break;
                }
                if same((y, x), other) {
                    unite(parents, i as u32, j as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn separation_is_the_smallest_distance_that_keeps_two() {
        let mut distance = Array2::<f32>::zeros((3, 30));
        distance[[1, 5]] = 3.0;
        distance[[1, 15]] = 2.0;
        let labels = Array2::ones((3, 30));
        let n = |separation, meaning| {
            seeds(distance.view(), labels.view(), separation, meaning, 1)
                .unwrap()
                .1
        };
        assert_eq!(n(10, Meaning::Distance), 2);
        assert_eq!(n(11, Meaning::Distance), 1);
    }

    #[test]
    fn labels_do_not_see_each_other() {
        let distance = array![[1.0f32, 2.0, 3.0, 2.0]];
        let labels = array![[1, 1, 2, 2]];
        let (pixels, n) = seeds(distance.view(), labels.view(), 4, Meaning::Distance, 1).unwrap();
        assert_eq!(n, 2);
        assert_eq!((pixels[0].x, pixels[1].x), (1, 2));
    }
}
