//! Seeds: maxima of a distance map within each label, one for each part that flooding shall keep.

use ndarray::{ArrayView2, s};

use crate::error::{Error, Result};
use crate::parallel;
use crate::union_find::{flatten, unite};

/// Rows searched as one piece of work.
const BLOCK_ROWS: usize = 128;

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
    let (window, floor, margin) = match meaning {
        Meaning::Distance => {
            let reach = (separation_px - 1).max(1);
            (
                Window {
                    before: reach,
                    after: reach,
                },
                0.0,
                0,
            )
        }
        Meaning::ParticleSpy => {
            let before = separation_px / 2;
            let after = separation_px - 1 - before;
            let floor = distance.iter().copied().fold(f32::INFINITY, f32::min);
            (Window { before, after }, floor, 1)
        }
    };
    let (height, width) = distance.dim();
    if width == 0 {
        return Ok((Vec::new(), 0));
    }
    let search = Search {
        distance,
        labels,
        window,
        floor,
        margin,
    };
    let found = parallel::map(threads, height.div_ceil(BLOCK_ROWS), |i| {
        let rows = i * BLOCK_ROWS..((i + 1) * BLOCK_ROWS).min(height);
        let mut maxima = Vec::new();
        rows.for_each(|y| search.row(y, &mut maxima));
        maxima
    });
    let maxima: Vec<(usize, usize)> = found.into_iter().flatten().collect();
    let mut parents: Vec<u32> = (0..maxima.len() as u32).collect();
    match meaning {
        Meaning::Distance => join(
            &maxima,
            &mut parents,
            search.window.before,
            |(ay, ax), (by, bx)| labels[[ay, ax]] == labels[[by, bx]],
        ),
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
    distance: ArrayView2<'a, f32>,
    labels: ArrayView2<'a, i32>,
    window: Window,
    floor: f32,
    margin: usize,
}

impl Search<'_> {
    /// Appends the maxima of row `y`.
    fn row(&self, y: usize, maxima: &mut Vec<(usize, usize)>) {
        let (height, width) = self.distance.dim();
        if y < self.margin || y + self.margin >= height {
            return;
        }
        let near = Window {
            before: self.window.before.min(1),
            after: self.window.after.min(1),
        };
        let labels = self.labels.row(y);
        let distances = self.distance.row(y);
        let mut x = self.margin;
        while x + self.margin < width {
            // Most of a frame is background: whole stretches of it are passed at once.
            if let Some(stretch) = labels.as_slice().and_then(|row| row.get(x..x + 16))
                && stretch.iter().fold(0, |any, &l| any | l) == 0
            {
                x += 16;
                continue;
            }
            let (label, value) = (labels[x], distances[x]);
            // Almost every pixel has a higher direct neighbour, so the large window is looked at for few.
            if label > 0
                && value > self.floor
                && !self.higher_in(&near, y, x, label, value)
                && !self.higher_in(&self.window, y, x, label, value)
            {
                maxima.push((y, x));
            }
            x += 1;
        }
    }

    /// Whether `window` about (y, x) has a pixel of `label` above `value`.
    fn higher_in(&self, window: &Window, y: usize, x: usize, label: i32, value: f32) -> bool {
        let (height, width) = self.distance.dim();
        let rows = y.saturating_sub(window.before)..(y + window.after + 1).min(height);
        let (left, right) = (
            x.saturating_sub(window.before),
            (x + window.after + 1).min(width),
        );
        for row in rows {
            let distances = self.distance.slice(s![row, left..right]);
            let labels = self.labels.slice(s![row, left..right]);
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
