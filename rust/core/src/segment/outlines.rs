//! Final outlines: the edge of each region followed as sharply as the noise lets it, at a level of the local contrast.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;
use crate::segment::blobs::{FINER, median_response};
use crate::segment::outline::{Polar, ring_median};
use crate::segment::scale_space::{FIRST, ScaleSpace};

/// Rays of a final outline.
pub const FINE_RAYS: usize = 64;

/// Radii followed, in units of the coarse outline's: 0.62 to 1.9, 3.9 % apart.
const RADII: usize = 30;
const FIRST_RADIUS: f32 = 0.62;
const LAST_RADIUS: f32 = 1.9;
const RADIUS_SPREAD: f32 = 0.25;

/// The image is sharpened as long as the contrast exceeds this many medians of the next finer response.
const CONTRAST_TO_NOISE: f32 = 4.0;

/// The outline's level is at least this many medians of the response at its scale, over the contrast; half height at most.
const LEVEL_PER_NOISE: f32 = 3.0;
const HIGHEST_LEVEL: f32 = 0.5;

/// Steps inside and outside the edge over which the levels on both sides are looked for.
const LEVEL_REACH: usize = 8;

/// The level crossing is looked for from this many steps inside the edge.
const SEARCH_FROM: usize = 2;

/// Radii [px] of the outlines, one row of `FINE_RAYS` a seed.
///
/// `seeds` has the columns sign, y, x, scale index, contrast; `radii` the coarse outlines. `level` = 0 is the foot of the edge, 1 its top.
pub fn outlines<T: Pixel>(
    image: ArrayView2<'_, T>,
    seeds: ArrayView2<'_, f32>,
    radii: ArrayView2<'_, f32>,
    level: f64,
    threads: usize,
) -> Result<Array2<f32>> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level", "a number between 0 and 1", level));
    }
    if seeds.ncols() != 5 || radii.nrows() != seeds.nrows() || radii.ncols() == 0 {
        return Err(Error::ShapeMismatch {
            argument: "seeds",
            expected: vec![radii.nrows(), 5],
            found: seeds.shape().to_vec(),
        });
    }
    let mut out = Array2::zeros((seeds.nrows(), FINE_RAYS));
    if seeds.nrows() == 0 || image.is_empty() {
        return Ok(out);
    }
    let last = seeds.column(3).iter().fold(0f32, |a, &b| a.max(b)) as i32 - FINER;
    let space = ScaleSpace::new(image, last.max(FIRST), threads)?;
    let noise = (FIRST..=last.max(FIRST))
        .map(|index| space.response(index).map(|r| median_response(&r)))
        .collect::<Result<Vec<f32>>>()?;
    let polar = Polar::new(
        FINE_RAYS,
        RADII,
        FIRST_RADIUS,
        LAST_RADIUS,
        1.0,
        RADIUS_SPREAD,
    );
    let rows = parallel::map(threads, seeds.nrows(), |i| {
        let seed = seeds.row(i);
        let mut index = (seed[3] as i32 - FINER).max(FIRST);
        while index > FIRST && seed[4] > CONTRAST_TO_NOISE * noise[(index - 1 - FIRST) as usize] {
            index -= 1;
        }
        // A foot lower than the noise is not to be seen: the outline would follow noise outwards.
        let noise_level =
            LEVEL_PER_NOISE * noise[(index - FIRST) as usize] / seed[4].max(f32::MIN_POSITIVE);
        let level = (level as f32).max(noise_level.min(HIGHEST_LEVEL));
        follow(&space, &polar, index, seed, radii.row(i), level)
    });
    for (mut row, radii) in out.rows_mut().into_iter().zip(rows) {
        row.assign(&ndarray::aview1(&radii));
    }
    Ok(out)
}

/// One outline on the image smoothed to scale `index`.
fn follow(
    space: &ScaleSpace,
    polar: &Polar,
    index: i32,
    seed: ArrayView1<'_, f32>,
    coarse: ArrayView1<'_, f32>,
    level: f32,
) -> Vec<f32> {
    let start = densified(coarse);
    let mut profile = polar.sample(space.level(index), seed[1], seed[2], |t| start[t]);
    profile.iter_mut().for_each(|v| *v *= seed[0]);
    let (ring, _) = polar.trace(&profile);
    let (n, radii) = (RADII, polar.radii());
    let (mut top, mut foot) = (Vec::new(), Vec::new());
    for (t, &k) in ring.iter().enumerate() {
        let row = &profile[t * n..(t + 1) * n];
        top.push(
            row[k.saturating_sub(LEVEL_REACH)..=k]
                .iter()
                .fold(f32::NEG_INFINITY, |a, &b| a.max(b)),
        );
        foot.push(
            row[k..(k + LEVEL_REACH + 1).min(n)]
                .iter()
                .fold(f32::INFINITY, |a, &b| a.min(b)),
        );
    }
    let (top, foot) = (ring_median(&top, 2), ring_median(&foot, 2));
    let crossing: Vec<f32> = ring
        .iter()
        .enumerate()
        .map(|(t, &k)| {
            let row = &profile[t * n..(t + 1) * n];
            let wanted = foot[t] + level * (top[t] - foot[t]);
            let from = k.saturating_sub(SEARCH_FROM);
            let hit = (from..(from + LEVEL_REACH + SEARCH_FROM).min(n - 1))
                .find(|&q| row[q + 1] <= wanted);
            let relative = match hit {
                Some(q) if row[q] > row[q + 1] => {
                    let part = ((row[q] - wanted) / (row[q] - row[q + 1])).clamp(0.0, 1.0);
                    radii[q] * (radii[q + 1] / radii[q]).powf(part)
                }
                Some(q) => radii[q],
                None => radii[(k + SEARCH_FROM).min(n - 1)],
            };
            start[t] * relative
        })
        .collect();
    ring_median(&crossing, 1)
}

/// A coarse ring smoothed over three rays and interpolated to `FINE_RAYS`.
fn densified(coarse: ArrayView1<'_, f32>) -> Vec<f32> {
    let n = coarse.len();
    let smooth: Vec<f32> = (0..n)
        .map(|t| (coarse[(t + n - 1) % n] * coarse[t] * coarse[(t + 1) % n]).cbrt())
        .collect();
    (0..FINE_RAYS)
        .map(|t| {
            let p = t as f32 * n as f32 / FINE_RAYS as f32;
            let (k, u) = (p as usize, p.fract());
            smooth[k] * (1.0 - u) + smooth[(k + 1) % n] * u
        })
        .collect()
}

/// Label image of star-shaped regions: label i + 1 for row i; a pixel inside several goes to the one it is deepest inside.
pub fn paint(
    shape: (usize, usize),
    centres: ArrayView2<'_, f32>,
    radii: ArrayView2<'_, f32>,
) -> Result<Array2<i32>> {
    if centres.ncols() != 2 || radii.nrows() != centres.nrows() || radii.ncols() == 0 {
        return Err(Error::ShapeMismatch {
            argument: "centres",
            expected: vec![radii.nrows(), 2],
            found: centres.shape().to_vec(),
        });
    }
    let mut labels = Array2::<i32>::zeros(shape);
    let mut depth = Array2::<f32>::from_elem(shape, 1.0);
    let n = radii.ncols() as f32;
    for (i, (centre, radii)) in centres.rows().into_iter().zip(radii.rows()).enumerate() {
        let reach = radii.iter().fold(0f32, |a, &b| a.max(b)).ceil();
        let range = |c: f32, n: usize| {
            let from = (c - reach).floor().max(0.0) as usize;
            from..((c + reach).ceil().max(-1.0) as i64 + 1).clamp(0, n as i64) as usize
        };
        for y in range(centre[0], shape.0) {
            for x in range(centre[1], shape.1) {
                let (dy, dx) = (y as f32 - centre[0], x as f32 - centre[1]);
                let turn = dy.atan2(dx).rem_euclid(std::f32::consts::TAU) / std::f32::consts::TAU;
                let (k, u) = ((turn * n) as usize % radii.len(), (turn * n).fract());
                let radius = radii[k] * (1.0 - u) + radii[(k + 1) % radii.len()] * u;
                let relative = dy.hypot(dx) / radius.max(f32::MIN_POSITIVE);
                if relative < depth[(y, x)] {
                    depth[(y, x)] = relative;
                    labels[(y, x)] = i as i32 + 1;
                }
            }
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discs_share_what_they_both_cover() {
        let centres = ndarray::arr2(&[[10f32, 8.0], [10.0, 16.0]]);
        let radii = Array2::from_elem((2, 16), 5.5f32);
        let labels = paint((21, 25), centres.view(), radii.view()).unwrap();
        assert_eq!((labels[(10, 8)], labels[(10, 16)]), (1, 2));
        assert_eq!((labels[(10, 11)], labels[(10, 13)]), (1, 2));
        assert_eq!(labels[(0, 0)], 0);
    }

    #[test]
    fn refuses_levels_outside_the_edge() {
        let (image, seeds) = (Array2::<u8>::zeros((4, 4)), Array2::zeros((0, 5)));
        let radii = Array2::zeros((0, 32));
        let result = outlines(image.view(), seeds.view(), radii.view(), 1.0, 1);
        assert_eq!(result.unwrap_err().kind(), "invalid_value");
    }
}
