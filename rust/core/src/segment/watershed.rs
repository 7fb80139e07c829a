//! Seeded watershed: flooding from markers through a bucket queue with one bucket for each height.
//!
//! Pixels are flooded lowest first. Pixels of one height are flooded in the order in which the flood reached them; markers are reached
//! first, in raster order; a pixel reaches its neighbours in raster order (up, left, right, down). That is the only tie rule.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Zip, s};

use crate::components::{self, Connectivity};
use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;
use crate::segment::bounding_boxes::{Bounds, bounding_boxes};
use crate::segment::height_queue::{HeightQueue, ranks};
use crate::segment::mask_runs::{Run, runs_inside};
use crate::segment::peer_queue::PeerQueue;
use crate::segment::queue::Queue;

/// Pixels a frame may have: two bits of an index say whether the pixel is first or last in its row.
const MAX_PIXELS: usize = 1 << 30;
/// Parts are cut out as long as their bounding boxes together hold at most this many frames.
const MAX_COPIES: usize = 4;
const FIRST: u32 = 1 << 31;
const LAST: u32 = 1 << 30;
const INDEX: u32 = LAST - 1;

/// What decides between pixels of one height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The documented rule.
    FirstReached,
    /// That of ParticleSpy 0.5.1 with scikit-image 0.17.
    ParticleSpy,
}

/// Floods `landscape` from the positive `markers` inside `mask` (everywhere if None) into `labels`, which must hold zeros.
///
/// `descending` floods from the highest value down. Pixels that no marker reaches stay 0. Parts of the mask that do not touch are
/// flooded one by one: the result is the same, and what a part needs stays in the cache.
pub fn watershed<T: Pixel>(
    landscape: ArrayView2<'_, T>,
    markers: ArrayView2<'_, i32>,
    mask: Option<ArrayView2<'_, u8>>,
    connectivity: Connectivity,
    descending: bool,
    ties: Ties,
    mut labels: ArrayViewMut2<'_, i32>,
    threads: usize,
) -> Result<()> {
    check(&landscape, &markers, &mask, connectivity, &labels)?;
    let n_pixels = landscape.len();
    if let (Some(mask), Ties::FirstReached) = (&mask, ties) {
        let planes = (
            mask.view().insert_axis(Axis(0)),
            labels.view_mut().insert_axis(Axis(0)),
        );
        let n = components::label(planes.0, connectivity, planes.1, threads)?;
        let bounds = bounding_boxes(labels.view(), n, threads);
        let area = |(rows, columns): &Bounds| rows.len() * columns.len();
        // Rings inside rings would be copied again and again.
        if bounds.iter().map(area).sum::<usize>() <= MAX_COPIES * n_pixels {
            let parts = labels.view();
            let floods = parallel::map(threads, n, |i| {
                let (rows, columns) = bounds[i].clone();
                let place = s![rows, columns];
                let (landscape, markers) = (landscape.slice(place), markers.slice(place));
                let own = i as i32 + 1;
                let inside = parts.slice(place).map(|&part| u8::from(part == own));
                let mut flooded = Array2::zeros(inside.dim());
                let to = flooded.view_mut();
                flood_cut_out(
                    landscape,
                    markers,
                    inside.view(),
                    connectivity,
                    descending,
                    to,
                )
                .map(|()| (inside, flooded))
            });
            for ((rows, columns), flooded) in bounds.into_iter().zip(floods) {
                let (inside, flooded) = flooded?;
                Zip::from(labels.slice_mut(s![rows, columns]))
                    .and(&inside)
                    .and(&flooded)
                    .for_each(|label, &inside, &flooded| {
                        if inside != 0 {
                            *label = flooded;
                        }
                    });
            }
            return Ok(());
        }
        labels.fill(0);
    }
    flood_whole(
        landscape,
        markers,
        mask,
        connectivity,
        descending,
        ties,
        labels,
    )
}

/// `watershed` of a part of the mask alone; all arrays have one shape.
pub(crate) fn flood_cut_out<T: Pixel>(
    landscape: ArrayView2<'_, T>,
    markers: ArrayView2<'_, i32>,
    mask: ArrayView2<'_, u8>,
    connectivity: Connectivity,
    descending: bool,
    labels: ArrayViewMut2<'_, i32>,
) -> Result<()> {
    let ties = Ties::FirstReached;
    flood_whole(
        landscape,
        markers,
        Some(mask),
        connectivity,
        descending,
        ties,
        labels,
    )
}

fn check<T>(
    landscape: &ArrayView2<'_, T>,
    markers: &ArrayView2<'_, i32>,
    mask: &Option<ArrayView2<'_, u8>>,
    connectivity: Connectivity,
    labels: &ArrayViewMut2<'_, i32>,
) -> Result<()> {
    for (argument, shape) in [
        ("markers", markers.shape()),
        (
            "mask",
            mask.as_ref().map_or(landscape.shape(), |m| m.shape()),
        ),
        ("labels", labels.shape()),
    ] {
        if shape != landscape.shape() {
            return Err(Error::ShapeMismatch {
                argument,
                expected: landscape.shape().to_vec(),
                found: shape.to_vec(),
            });
        }
    }
    if landscape.len() > MAX_PIXELS {
        let expected = "at most 2^30 pixels (tile larger images)";
        return Err(Error::invalid("landscape", expected, landscape.len()));
    }
    match connectivity {
        Connectivity::Four | Connectivity::Eight => Ok(()),
        _ => Err(Error::invalid("connectivity", "4 or 8", "a 3D one")),
    }
}

fn flood_whole<T: Pixel>(
    landscape: ArrayView2<'_, T>,
    markers: ArrayView2<'_, i32>,
    mask: Option<ArrayView2<'_, u8>>,
    connectivity: Connectivity,
    descending: bool,
    ties: Ties,
    mut labels: ArrayViewMut2<'_, i32>,
) -> Result<()> {
    let (height, width) = landscape.dim();
    let corners = connectivity == Connectivity::Eight;
    let labels = labels
        .as_slice_mut()
        .ok_or_else(|| Error::invalid("labels", "a C-contiguous array", "a strided one"))?;
    if width == 0 {
        return Ok(());
    }
    let runs = runs_inside(mask, height, width);
    // Until the flood reaches it, a pixel of the mask holds −1 − its number among them.
    let mut keys = Vec::with_capacity(runs.iter().map(|run| run.pixels.len()).sum());
    let mut row = Vec::new();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for run in &runs {
        if run.pixels.start == run.y * width {
            first.push(keys.len());
        }
        for (i, label) in labels[run.pixels.clone()].iter_mut().enumerate() {
            *label = -1 - (keys.len() + i) as i32;
        }
        let columns = run.columns(width);
        let heights = landscape.row(run.y);
        let heights = match heights.to_slice() {
            Some(heights) => &heights[columns],
            None => {
                row.clear();
                row.extend(heights.slice(s![columns]));
                &row
            }
        };
        keys.extend(heights.iter().map(|&height| sort_key(height, descending)));
        if run.pixels.end == (run.y + 1) * width {
            last.push(keys.len() - 1);
        }
    }
    let (mut order, starts) = ranks(keys);
    first.into_iter().for_each(|i| order[i] |= FIRST);
    last.into_iter().for_each(|i| order[i] |= LAST);
    match ties {
        Ties::FirstReached => {
            let queue = HeightQueue::new(starts, order.len());
            flood(labels, order, queue, &runs, markers, corners);
        }
        Ties::ParticleSpy => {
            let inside = markers.iter().zip(labels.iter());
            let n_markers = inside
                .filter(|(marker, label)| **marker > 0 && **label < 0)
                .count();
            flood(
                labels,
                order,
                PeerQueue::new(n_markers),
                &runs,
                markers,
                corners,
            );
        }
    }
    Ok(())
}

fn flood<Q: Queue>(
    labels: &mut [i32],
    order: Vec<u32>,
    queue: Q,
    runs: &[Run],
    markers: ArrayView2<'_, i32>,
    corners: bool,
) {
    let (height, width) = markers.dim();
    let n_reachable = order.len();
    let mut flood = Flood {
        labels,
        order,
        queue,
    };
    for run in runs {
        let line = markers.row(run.y);
        for (pixel, &marker) in run.pixels.clone().zip(line.slice(s![run.columns(width)])) {
            if marker > 0 {
                flood.reach(pixel, marker);
            }
        }
    }
    flood.run(width, height * width, corners);
    if flood.queue.n_pushed() < n_reachable {
        flood
            .labels
            .iter_mut()
            .for_each(|label| *label = (*label).max(0));
    }
}

/// Bits that order as the values do, lowest first (highest first if `descending`); −0 equals 0.
#[inline(always)]
fn sort_key<T: Pixel>(value: T, descending: bool) -> u64 {
    let key = if size_of::<T>() <= size_of::<f32>() {
        let bits = (value.to_f32() + 0.0).to_bits();
        u64::from(bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 })
    } else {
        let bits = (value.to_f64() + 0.0).to_bits();
        bits ^ if bits >> 63 == 1 { u64::MAX } else { 1 << 63 }
    };
    if descending { !key } else { key }
}

struct Flood<'a, Q> {
    labels: &'a mut [i32],
    /// Rank of the height of each pixel of the mask, and whether it is first or last in its row.
    order: Vec<u32>,
    queue: Q,
}

impl<Q: Queue> Flood<'_, Q> {
    /// Gives the pixel `label` if it is in the mask and has none.
    #[inline(always)]
    fn reach(&mut self, pixel: usize, label: i32) {
        let number = self.labels[pixel];
        if number < 0 {
            let order = self.order[(-1 - number) as usize];
            self.labels[pixel] = label;
            self.queue
                .push((order & INDEX) as usize, pixel as u32 | (order & !INDEX));
        }
    }

    fn run(&mut self, width: usize, size: usize, corners: bool) {
        while let Some(entry) = self.queue.pop() {
            let pixel = (entry & INDEX) as usize;
            let label = self.labels[pixel];
            let (left, right) = (entry & FIRST == 0, entry & LAST == 0);
            if pixel >= width {
                if corners && left {
                    self.reach(pixel - width - 1, label);
                }
                self.reach(pixel - width, label);
                if corners && right {
                    self.reach(pixel - width + 1, label);
                }
            }
            if left {
                self.reach(pixel - 1, label);
            }
            if right {
                self.reach(pixel + 1, label);
            }
            if pixel + width < size {
                if corners && left {
                    self.reach(pixel + width - 1, label);
                }
                self.reach(pixel + width, label);
                if corners && right {
                    self.reach(pixel + width + 1, label);
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
    fn meets_on_the_ridge() {
        let landscape = array![[0u8, 1, 5, 2, 0]];
        let markers = array![[1, 0, 0, 0, 2]];
        let mut labels = Array2::zeros((1, 5));
        watershed(
            landscape.view(),
            markers.view(),
            None,
            Connectivity::Four,
            false,
            Ties::FirstReached,
            labels.view_mut(),
            1,
        )
        .unwrap();
        assert_eq!(labels, array![[1, 1, 1, 2, 2]]);
    }

    #[test]
    fn unreached_pixels_stay_background() {
        let landscape = Array2::<f32>::zeros((1, 5));
        let markers = array![[1, 0, 0, 0, 7]];
        let mask = array![[1u8, 0, 1, 0, 0]];
        let mut labels = Array2::zeros((1, 5));
        watershed(
            landscape.view(),
            markers.view(),
            Some(mask.view()),
            Connectivity::Four,
            false,
            Ties::FirstReached,
            labels.view_mut(),
            1,
        )
        .unwrap();
        assert_eq!(labels, array![[1, 0, 0, 0, 0]]);
    }
}
