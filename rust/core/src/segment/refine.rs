//! Regions followed pixel by pixel to the foot of their edge, where it stands clear of what surrounds them.
//!
//! Outlines by rays are star-shaped and smooth. Faint rims and re-entrant corners of a particle on a quiet background are found by
//! growing: the largest piece of pixels above a level of the local contrast, its edge made even. Where the surroundings are too restless for that level,
//! the region stays as it is.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;
use crate::segment::bounding_boxes::{Bounds, bounding_boxes};
use crate::segment::distance_transform::distance_transform;
use crate::segment::gaussian::gaussian;

/// Smoothing before pixels are compared with the level.
const SIGMA_PX: f64 = 0.5;

/// A region grows by at most this part of its equivalent radius.
const REACH: f32 = 0.3;

/// The surroundings: from this part of the reach outwards …
const RING_FROM: f32 = 0.6;

/// … to this many pixels beyond it.
const RING_PX: f32 = 6.0;

/// Fewer pixels than this tell nothing of the surroundings.
const LEAST_RING: usize = 20;

/// Pixels must exceed the background by this many of its standard deviations.
const DEVIATIONS: f32 = 3.0;

/// A level above half height would cut a region, not find its foot.
const HIGHEST_LEVEL: f32 = 0.5;

// The darker part of the surroundings is background whatever bright neighbours the ring meets: mean and deviation come from the 5th and
// the 30th percentile, which lie 1.645 and 0.524 standard deviations below the mean of normal values.
const LOW: (f32, f32) = (0.05, 1.645);
const MIDDLE: (f32, f32) = (0.30, 0.524);

/// Steep edges lose this much of the skirt that blur gives them. More would eat into edges that taper off (2 px cost simulated particles
/// with facets 5 % of their area), less would leave small particles too large.
const BLUR_PX: usize = 1;

/// A blurred step has half its height where the step was.
const HALF: f32 = 0.5;

/// Noise makes a level set ragged, which lengthens its perimeter: each pixel goes with the majority of a disc of this part of the
/// region's equivalent radius …
const MAJORITY: f32 = 0.1;

/// … of at most this radius.
const LARGEST_MAJORITY_PX: isize = 3;

/// Contrast is taken from this percentile of the region, so that single bright pixels do not count.
const TOP: f32 = 0.9;

/// The regions 1 … `n` of `labels`, followed to `level` of their contrast; of two that want a pixel the smaller label has it.
pub fn refine<T: Pixel>(
    image: ArrayView2<'_, T>,
    labels: ArrayView2<'_, i32>,
    level: f64,
    threads: usize,
) -> Result<Array2<i32>> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level", "a number between 0 and 1", level));
    }
    if labels.dim() != image.dim() {
        return Err(Error::ShapeMismatch {
            argument: "labels",
            expected: image.shape().to_vec(),
            found: labels.shape().to_vec(),
        });
    }
    let mut out = Array2::zeros(labels.dim());
    let n = labels.iter().fold(0, |a, &b| a.max(b)) as usize;
    if n == 0 {
        return Ok(out);
    }
    let smooth = gaussian(image, SIGMA_PX, threads)?;
    let bounds = bounding_boxes(labels, n, threads);
    let regions = parallel::map(threads, n, |i| {
        region(
            smooth.view(),
            labels,
            &bounds[i],
            i as i32 + 1,
            level as f32,
        )
    });
    for (i, found) in regions.into_iter().enumerate() {
        let Some((rows, columns, mask)) = found? else {
            continue;
        };
        out.slice_mut(s![rows, columns])
            .zip_mut_with(&mask, |label, &inside| {
                if inside && *label == 0 {
                    *label = i as i32 + 1;
                }
            });
    }
    Ok(out)
}

type Window = (Range<usize>, Range<usize>, Array2<bool>);

/// The pixels of region `own` in a window around it; None for a label without pixels.
fn region(
    smooth: ArrayView2<'_, f32>,
    labels: ArrayView2<'_, i32>,
    bounds: &Bounds,
    own: i32,
    level: f32,
) -> Result<Option<Window>> {
    if bounds.0.is_empty() {
        return Ok(None);
    }
    let (height, width) = labels.dim();
    let tight = labels.slice(s![bounds.0.clone(), bounds.1.clone()]);
    let area = tight.iter().filter(|&&label| label == own).count();
    let reach = REACH * (area as f32 / std::f32::consts::PI).sqrt();
    let pad = (reach + RING_PX).ceil() as usize;
    let rows = bounds.0.start.saturating_sub(pad)..(bounds.0.end + pad).min(height);
    let columns = bounds.1.start.saturating_sub(pad)..(bounds.1.end + pad).min(width);
    let labels = labels.slice(s![rows.clone(), columns.clone()]);
    let smooth = smooth.slice(s![rows.clone(), columns.clone()]);
    let outside = labels.map(|&label| u8::from(label != own));
    let distance = distance_transform(outside.view().into_dyn(), &[1.0, 1.0], false, 1)?
        .into_dimensionality::<ndarray::Ix2>()
        .expect("two dimensions in, two out");
    let mask = grown(smooth, labels, distance.view(), own, reach, level)
        .unwrap_or_else(|| labels.map(|&label| label == own));
    Ok(Some((rows, columns, mask)))
}

/// The largest piece above the level with its holes filled; None where the surroundings do not allow it.
fn grown(
    smooth: ArrayView2<'_, f32>,
    labels: ArrayView2<'_, i32>,
    distance: ArrayView2<'_, f32>,
    own: i32,
    reach: f32,
    level: f32,
) -> Option<Array2<bool>> {
    let (mut ring, mut inner) = (Vec::new(), Vec::new());
    for ((&value, &label), &far) in smooth.iter().zip(labels).zip(distance) {
        if label == own {
            inner.push(value);
        } else if label == 0 && far > RING_FROM * reach && far < reach + RING_PX {
            ring.push(value);
        }
    }
    if ring.len() < LEAST_RING {
        return None;
    }
    let (low, middle) = (quantile(&mut ring, LOW.0), quantile(&mut ring, MIDDLE.0));
    let deviation = (middle - low) / (LOW.1 - MIDDLE.1);
    let background = middle + MIDDLE.1 * deviation;
    let contrast = quantile(&mut inner, TOP) - background;
    let level = level.max(DEVIATIONS * deviation / contrast);
    if contrast <= 0.0 || level > HIGHEST_LEVEL {
        return None;
    }
    let least = background + level * contrast;
    let free = |at: (usize, usize)| labels[at] == own || (labels[at] == 0 && distance[at] <= reach);
    let above = Array2::from_shape_fn(labels.dim(), |at| free(at) && smooth[at] > least);
    let mut piece = largest_piece(&above, labels, own)?;
    // What the frame around the window cannot reach is a hole.
    let mut open = Array2::from_elem(labels.dim(), false);
    let (height, width) = labels.dim();
    for (y, x) in ndarray::indices(labels.dim()) {
        if y == 0 || x == 0 || y + 1 == height || x + 1 == width {
            flood((y, x), |at| !piece[at], &mut open);
        }
    }
    piece.zip_mut_with(&open, |inside, &reached| *inside |= !reached);
    piece.zip_mut_with(&labels, |inside, &label| {
        *inside &= label == 0 || label == own;
    });
    let radius = (MAJORITY * reach / REACH) as isize;
    let mut even = majority(
        &peeled(smooth, &piece, background),
        radius.min(LARGEST_MAJORITY_PX),
    );
    even.zip_mut_with(&labels, |inside, &label| {
        *inside &= label == 0 || label == own;
    });
    largest_piece(&even, labels, own)
}

/// Whether most of the pixels around each pixel, up to `radius` and inside the image, belong to the piece.
fn majority(piece: &Array2<bool>, radius: isize) -> Array2<bool> {
    let (height, width) = piece.dim();
    let mut disc = Vec::new();
    for y in -radius..=radius {
        for x in -radius..=radius {
            // Half a pixel more than the radius: rounder than the bare lattice points.
            if y * y + x * x <= radius * radius + radius {
                disc.push((y, x));
            }
        }
    }
    Array2::from_shape_fn(piece.dim(), |(y, x)| {
        let (mut n, mut n_inside) = (0, 0);
        for &(dy, dx) in &disc {
            let (v, u) = (y.wrapping_add_signed(dy), x.wrapping_add_signed(dx));
            if v < height && u < width {
                n += 1;
                n_inside += usize::from(piece[(v, u)]);
            }
        }
        2 * n_inside > n
    })
}

/// The piece without the skirt that the blur of the image gives to steep edges: next to the outside, a pixel stays where it
/// has half the height of the piece within reach of the blur. Edges that taper off keep their foot.
fn peeled(smooth: ArrayView2<'_, f32>, piece: &Array2<bool>, background: f32) -> Array2<bool> {
    let (height, width) = piece.dim();
    let near = |at: usize, n: usize| at.saturating_sub(BLUR_PX)..(at + BLUR_PX + 1).min(n);
    Array2::from_shape_fn(piece.dim(), |(y, x)| {
        if !piece[(y, x)] {
            return false;
        }
        let (mut highest, mut at_edge) = (f32::NEG_INFINITY, false);
        for v in near(y, height) {
            for u in near(x, width) {
                match piece[(v, u)] {
                    true => highest = highest.max(smooth[(v, u)]),
                    false => at_edge = true,
                }
            }
        }
        !at_edge || smooth[(y, x)] - background >= HALF * (highest - background)
    })
}

/// Of the pieces of `above` (4-connected) the one with the most pixels of label `own`.
fn largest_piece(
    above: &Array2<bool>,
    labels: ArrayView2<'_, i32>,
    own: i32,
) -> Option<Array2<bool>> {
    let mut seen = Array2::from_elem(above.dim(), false);
    let mut best: Option<(usize, (usize, usize))> = None;
    for at in ndarray::indices(above.dim()) {
        if above[at] && labels[at] == own && !seen[at] {
            let mut n_own = 0;
            flood(
                at,
                |p| {
                    n_own += usize::from(above[p] && labels[p] == own);
                    above[p]
                },
                &mut seen,
            );
            if best.is_none_or(|(most, _)| n_own > most) {
                best = Some((n_own, at));
            }
        }
    }
    let mut piece = Array2::from_elem(above.dim(), false);
    flood(best?.1, |p| above[p], &mut piece);
    Some(piece)
}

/// Marks in `reached` what is 4-connected with `start` through pixels that `enters` accepts; each pixel is asked once.
fn flood(
    start: (usize, usize),
    mut enters: impl FnMut((usize, usize)) -> bool,
    reached: &mut Array2<bool>,
) {
    let (height, width) = reached.dim();
    if reached[start] || !enters(start) {
        return;
    }
    reached[start] = true;
    let mut stack = vec![start];
    while let Some((y, x)) = stack.pop() {
        let mut visit = |at| {
            if !reached[at] && enters(at) {
                reached[at] = true;
                stack.push(at);
            }
        };
        if y > 0 {
            visit((y - 1, x));
        }
        if x > 0 {
            visit((y, x - 1));
        }
        if x + 1 < width {
            visit((y, x + 1));
        }
        if y + 1 < height {
            visit((y + 1, x));
        }
    }
}

/// The value below which the part `q` of `values` lies.
fn quantile(values: &mut [f32], q: f32) -> f32 {
    let k = ((values.len() - 1) as f32 * q) as usize;
    *values.select_nth_unstable_by(k, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square plateau with a faint step beside it, and a label that has only the middle of the plateau.
    fn scene() -> (Array2<f32>, Array2<i32>) {
        let image = Array2::from_shape_fn((60, 60), |(y, x)| match (y, x) {
            (20..40, 20..40) => 100.0,
            (20..40, 40..43) => 20.0,
            _ => ((y * 7 + x * 13) % 5) as f32 * 0.1,
        });
        let middle = 21..39;
        let labels = Array2::from_shape_fn((60, 60), |(y, x)| {
            i32::from(middle.contains(&y) && middle.contains(&x))
        });
        (image, labels)
    }

    #[test]
    fn grows_to_the_foot() {
        let (image, labels) = scene();
        let out = refine(image.view(), labels.view(), 0.1, 1).unwrap();
        assert_eq!((out[(20, 25)], out[(30, 41)]), (1, 1));
        assert_eq!((out[(16, 30)], out[(30, 47)]), (0, 0));
        let half = refine(image.view(), labels.view(), 0.5, 1).unwrap();
        assert_eq!((half[(20, 30)], half[(30, 41)]), (1, 0));
    }

    #[test]
    fn blur_has_no_skirt() {
        let (image, labels) = scene();
        let blurred = gaussian(image.view(), 1.0, 1).unwrap();
        let out = refine(blurred.view(), labels.view(), 0.1, 1).unwrap();
        assert_eq!((out[(20, 25)], out[(18, 25)]), (1, 0));
    }

    #[test]
    fn stays_where_the_surroundings_are_restless() {
        let (mut image, labels) = scene();
        image
            .indexed_iter_mut()
            .for_each(|((y, x), v)| *v += ((y * 7919 + x * 104_729) % 97) as f32 * 3.0);
        assert_eq!(refine(image.view(), labels.view(), 0.1, 1).unwrap(), labels);
    }
}
