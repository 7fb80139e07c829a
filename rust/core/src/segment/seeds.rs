//! Seeds: maxima of a distance map within each label, one for each part that flooding shall keep.

use std::ops::Range;

use multiversion::multiversion;
use ndarray::ArrayView2;

use crate::error::{Error, Result};
use crate::parallel;
use crate::segment::histogram::extent;
use crate::union_find::{flatten, unite};

/// Rows searched as one piece of work.
const BLOCK_ROWS: usize = 128;

/// Pixels of a row that are looked at together.
const STRETCH: usize = 32;

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
            let floor = extent(distance, threads).map_or(0.0, |(low, _)| low);
            (before, separation_px - 1 - before, floor, 1)
        }
    };
    if distance.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let (height, width) = distance.dim();
    let heights = distance.as_standard_layout();
    let regions = labels.as_standard_layout();
    let search = Search {
        distance: heights.as_slice().expect("standard layout"),
        labels: regions.as_slice().expect("standard layout"),
        height,
        width,
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

struct Search<'a> {
    distance: &'a [f32],
    labels: &'a [i32],
    height: usize,
    width: usize,
    window: Window,
    floor: f32,
    columns: Range<usize>,
}

impl Search<'_> {
    /// Maxima in `rows`, in raster order.
    fn rows(&self, rows: Range<usize>) -> Vec<(usize, usize)> {
        let mut maxima = Vec::new();
        // A window narrower than three pixels does not hold the direct neighbours.
        let narrow = self.window.before == 0 || self.window.after == 0;
        let last = self.width - 1;
        let mut flags = [0; STRETCH];
        let (mut here, mut next) = (Vec::new(), Vec::new());
        self.stretches(rows.start, &mut next);
        for y in rows {
            std::mem::swap(&mut here, &mut next);
            // A row ahead: what is read there in one go is at hand when it is compared with this row.
            self.stretches(y + 1, &mut next);
            let (distances, labels) = (self.row(self.distance, y), self.row(self.labels, y));
            let mut keep = |x: usize| {
                let (label, value) = (labels[x], distances[x]);
                let eligible = label > 0 && value > self.floor && self.columns.contains(&x);
                let below = || !narrow && self.below_a_neighbour(y, x);
                if eligible && !below() && !self.higher_in_window(y, x) {
                    maxima.push((y, x));
                }
            };
            // A row that the image does not have is replaced by this one, which never exceeds itself.
            let rows = [y.saturating_sub(1), (y + 1).min(self.height - 1)];
            let [up, down] = rows.map(|y| (self.row(self.distance, y), self.row(self.labels, y)));
            keep(0);
            for &start in &here {
                let end = (start + STRETCH).min(last);
                let flags = &mut flags[..end - start];
                if narrow {
                    flags.fill(1);
                } else {
                    not_below_edges(
                        [
                            &up.0[start..end],
                            &distances[start - 1..=end],
                            &down.0[start..end],
                        ],
                        [
                            &up.1[start..end],
                            &labels[start - 1..=end],
                            &down.1[start..end],
                        ],
                        flags,
                    );
                }
                for (i, eight) in flags.chunks(8).enumerate() {
                    if eight.iter().fold(0, |any, &flag| any | flag) != 0 {
                        let places = eight.iter().enumerate().filter(|(_, flag)| **flag != 0);
                        places.for_each(|(k, _)| keep(start + 8 * i + k));
                    }
                }
            }
            if last > 0 {
                keep(last);
            }
        }
        maxima
    }

    /// Starts of the stretches of row `y` that have eligible pixels, border columns left out: most of a frame is background.
    fn stretches(&self, y: usize, starts: &mut Vec<usize>) {
        starts.clear();
        if y < self.height {
            let (distances, labels) = (self.row(self.distance, y), self.row(self.labels, y));
            find_eligible(distances, labels, self.floor, starts);
        }
    }

    fn row<'a, T>(&self, pixels: &'a [T], y: usize) -> &'a [T] {
        &pixels[y * self.width..][..self.width]
    }

    /// Whether the window about (y, x) has a higher pixel of its label.
    fn higher_in_window(&self, y: usize, x: usize) -> bool {
        let Window { before, after } = self.window;
        // Along a ridge the next higher pixel is close: rows are looked at from the middle outwards.
        (0..=before.max(after)).any(|step| {
            (step <= before && step <= y && self.higher_in_row(y, x, y - step))
                || (step <= after && y + step < self.height && self.higher_in_row(y, x, y + step))
        })
    }

    /// Whether the window's part of `row` has a higher pixel of the label of (y, x).
    fn higher_in_row(&self, y: usize, x: usize, row: usize) -> bool {
        let Window { before, after } = self.window;
        let columns = x.saturating_sub(before)..(x + after + 1).min(self.width);
        let distances = &self.row(self.distance, row)[columns.clone()];
        let labels = &self.row(self.labels, row)[columns];
        let at = y * self.width + x;
        any_higher(distances, labels, self.labels[at], self.distance[at])
    }

    /// Whether a direct neighbour of (y, x) of its label is higher.
    fn below_a_neighbour(&self, y: usize, x: usize) -> bool {
        let at = y * self.width + x;
        (y.saturating_sub(1)..=(y + 1).min(self.height - 1)).any(|row| {
            (x.saturating_sub(1)..=(x + 1).min(self.width - 1)).any(|column| {
                let other = row * self.width + column;
                self.distance[other] > self.distance[at] && self.labels[other] == self.labels[at]
            })
        })
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn find_eligible(distances: &[f32], labels: &[i32], floor: f32, starts: &mut Vec<usize>) {
    let last = labels.len() - 1;
    for start in (1..last).step_by(STRETCH) {
        let end = (start + STRETCH).min(last);
        let pairs = distances[start..end].iter().zip(&labels[start..end]);
        let any = pairs.fold(0, |any, (&d, &l)| {
            any | (i32::from(d > floor) & i32::from(l > 0))
        });
        if any != 0 {
            starts.push(start);
        }
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn any_higher(distances: &[f32], labels: &[i32], label: i32, value: f32) -> bool {
    let pairs = distances.iter().zip(labels);
    let any = pairs.fold(0, |any, (&d, &l)| {
        any | (i32::from(d > value) & i32::from(l == label))
    });
    any != 0
}

/// Non-zero for each pixel of a label that is not below a neighbour of its label that shares an edge. `distances` and `labels`
/// are of the row above, its own and the one below; its own begins one pixel before `flags` and ends one after.
#[multiversion(targets("x86_64+avx2"))]
fn not_below_edges(distances: [&[f32]; 3], labels: [&[i32]; 3], flags: &mut [i32]) {
    let n = flags.len();
    let [left, value, right] = [0, 1, 2].map(|step| &distances[1][step..step + n]);
    let [to_left, own, to_right] = [0, 1, 2].map(|step| &labels[1][step..step + n]);
    let (up, down) = (&distances[0][..n], &distances[2][..n]);
    let (above, below) = (&labels[0][..n], &labels[2][..n]);
    for k in 0..n {
        let exceeds = |d: &[f32], l: &[i32]| i32::from(d[k] > value[k]) & i32::from(l[k] == own[k]);
        let beside = exceeds(left, to_left) | exceeds(right, to_right);
        let exceeded = beside | exceeds(up, above) | exceeds(down, below);
        flags[k] = (1 - exceeded) & i32::from(own[k] > 0);
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
