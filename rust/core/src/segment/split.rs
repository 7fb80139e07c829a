//! Splitting of touching particles: erosion, distance map, seeds and flooding, each component in its own bounding box.
//!
//! Components do not touch, so the result is that of the same kernels on whole frames; a frame's worth of temporaries is never needed.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use crate::components::Connectivity;
use crate::error::Result;
use crate::parallel;
use crate::segment::bounding_boxes::{Bounds, bounding_boxes};
use crate::segment::distance_transform::distance_transform;
use crate::segment::erode::erode;
use crate::segment::seeds::{Meaning, seeds};
use crate::segment::watershed::flood_cut_out;

/// How components are split.
#[derive(Debug, Clone, Copy)]
pub struct Splitting {
    /// Radius of the diamond that erodes the mask before distances are taken.
    pub erosion_radius_px: usize,
    /// Smallest distance of two seeds.
    pub separation_px: usize,
    /// Smallest component that counts as one without a seed.
    pub min_area_px: usize,
    /// Whether components without a seed stay whole, and pixels that share no edge with their part stay in it; else both vanish.
    pub keep_all: bool,
}

/// A component in its bounding box.
enum Part {
    /// Stays as it is.
    Whole,
    /// Is replaced by these labels (0 vanishes), in the rows and columns given.
    Split(Bounds, Array2<i32>),
}

/// Splits the components 1 … `n` (8-connected, apart from each other) of `labels` in place.
///
/// Returns the highest label after it (a component that was split has new labels above `n`; `select` renumbers them) and the number
/// of components of at least `min_area_px` without a seed.
pub fn split(
    mut labels: ArrayViewMut2<'_, i32>,
    n: usize,
    rule: &Splitting,
    threads: usize,
) -> Result<(usize, usize)> {
    let bounds = bounding_boxes(labels.view(), n, threads);
    let view = labels.view();
    let parts = parallel::map(threads, n, |i| part(view, &bounds[i], i as i32 + 1, rule));
    let mut highest = n;
    let mut n_seedless = 0;
    for (i, found) in parts.into_iter().enumerate() {
        let (part, n_seeds, area) = found?;
        n_seedless += usize::from(n_seeds == 0 && area >= rule.min_area_px);
        if let Part::Split((rows, columns), flooded) = part {
            let mut region = labels.slice_mut(s![rows, columns]);
            region.zip_mut_with(&flooded, |label, &part| {
                if *label == i as i32 + 1 {
                    *label = if part > 0 { highest as i32 + part } else { 0 };
                }
            });
            highest += n_seeds;
        }
    }
    Ok((highest, n_seedless))
}

/// The labels that replace component `own`, the number of its seeds and its area.
fn part(
    labels: ArrayView2<'_, i32>,
    bounds: &Bounds,
    own: i32,
    rule: &Splitting,
) -> Result<(Part, usize, usize)> {
    let (height, width) = labels.dim();
    // One pixel of background all around, where the image has it: distances end there.
    let rows = bounds.0.start.saturating_sub(1)..(bounds.0.end + 1).min(height);
    let columns = bounds.1.start.saturating_sub(1)..(bounds.1.end + 1).min(width);
    let region = labels.slice(s![rows.clone(), columns.clone()]);
    let mask = region.map(|&label| u8::from(label == own));
    let area = mask.iter().filter(|inside| **inside != 0).count();
    let eroded = match rule.erosion_radius_px {
        0 => None,
        radius => Some(erode(mask.view(), radius, 1)),
    };
    let eroded = eroded.as_ref().unwrap_or(&mask);
    let vanishes = !eroded.iter().any(|&inside| inside != 0);
    let distance = distance_transform(eroded.view().into_dyn(), &[1.0, 1.0], false, 1)?;
    let distance = distance
        .view()
        .into_dimensionality()
        .expect("two dimensions in, two out");
    let inside = mask.map(|&inside| i32::from(inside));
    let (pixels, n_seeds) = match vanishes {
        true => (Vec::new(), 0),
        false => seeds(
            distance,
            inside.view(),
            rule.separation_px,
            Meaning::Distance,
            1,
        )?,
    };
    if rule.keep_all && n_seeds <= 1 {
        return Ok((Part::Whole, n_seeds, area));
    }
    let mut markers = Array2::zeros(mask.dim());
    for pixel in pixels {
        markers[[pixel.y, pixel.x]] = pixel.seed;
    }
    let flood = |markers: ArrayView2<'_, i32>, connectivity| {
        let mut flooded = Array2::zeros(mask.dim());
        let to = flooded.view_mut();
        flood_cut_out(distance, markers, mask.view(), connectivity, true, to).map(|()| flooded)
    };
    let mut flooded = flood(markers.view(), Connectivity::Four)?;
    let left_out = flooded
        .iter()
        .zip(&mask)
        .any(|(&label, &inside)| label == 0 && inside != 0);
    if rule.keep_all && left_out {
        flooded = flood(flooded.view(), Connectivity::Eight)?;
    }
    Ok((Part::Split((rows, columns), flooded), n_seeds, area))
}
