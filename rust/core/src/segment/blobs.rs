//! Blob candidates of both signs in scale space, each with an outline and with measures of how distinct it is.

use ndarray::{Array2, ArrayView2, s};

use crate::error::Result;
use crate::parallel;
use crate::pixel::Pixel;
use crate::segment::gaussian::gaussian;
use crate::segment::outline::Polar;
use crate::segment::scale_space::{ScaleSpace, sigma_px};

/// What is known of a candidate; lengths in px, levels in units of the image, a dark blob's with the sign turned.
pub const COLUMNS: [&str; 22] = [
    "sign",
    "y",
    "x",
    "scale_index",
    "sigma_px",
    "response",
    "noise_local",
    "noise_mean",
    "noise_median",
    "descent_mean",
    "descent_p10",
    "descent_p25",
    "descent_median",
    "descent_std",
    "contrast",
    "contrast_p10",
    "inside_std",
    "outside_std",
    "core_rise",
    "fine_descent",
    "roughness",
    "elongation",
];

/// Rays of an outline.
pub const RAYS: usize = 32;

/// Radii followed along each ray, in units of the scale: 0.6 to 3.4, 8.6 % apart; a disc's edge is expected at 1.6.
const RADII: usize = 22;
const FIRST_RADIUS: f32 = 0.6;
const LAST_RADIUS: f32 = 3.4;
const EXPECTED_RADIUS: f32 = 1.6;
const RADIUS_SPREAD: f32 = 0.5;

/// Outlines are followed on the image smoothed to 1/3.2 of the blob's scale (5 thirds of an octave), sharpness is taken 5 further down.
pub const FINER: i32 = 5;

/// Contrast compares radii this many grid steps inside and outside the edge (28 %).
const CONTRAST_REACH: usize = 3;

/// Sharpness is the largest descent over ± 12 % of the radius, at the edge or 8 % beside it.
const SHARP_REACH: f32 = 0.12;
const SHARP_SHIFT: f32 = 1.08;

/// Noise is averaged over 8 (first) and 6 (second, clipped) scales, on blocks of two scales.
const BLOCK_SCALES: f64 = 2.0;
const NOISE_BLOCKS: f64 = 4.0;
const CLIPPED_NOISE_BLOCKS: f64 = 3.0;
const CLIP_AT: f32 = 2.0;

/// Local noise is never taken below half the mean, the median never below a tenth of it.
const LEAST_LOCAL: f32 = 0.5;
const LEAST_MEDIAN: f32 = 0.1;

/// Candidates of one sign kept at a scale, strongest first: so many, and one more a thousand samples of its grid.
const KEPT: usize = 1000;
const SAMPLES_PER_KEPT: usize = 1000;

/// A blob answers more than the best of all that white noise offers at its scale: the largest of n independent normal values is near
/// sqrt(2 ln n), the factor is the largest seen in 46 noise images of 64² … 2048², in units of their mean |response|.
const NOISE_MAXIMUM: f64 = 1.6;

/// Responses below this part of the largest pixel value are rounding.
const ROUNDING: f32 = 1e-5;

/// Values drawn for a median.
const MEDIAN_SAMPLES: usize = 100_000;

/// Table of the candidates (`COLUMNS`) and their radii [px] along `RAYS` rays.
pub struct Blobs {
    /// One row a candidate.
    pub table: Array2<f32>,
    /// Distance of the edge from (y, x), one row a candidate.
    pub radii: Array2<f32>,
}

/// Bright and dark blobs of scales 0 … `last` (sigma = 2^(index / 3) px).
pub fn blobs<T: Pixel>(image: ArrayView2<'_, T>, last: i32, threads: usize) -> Result<Blobs> {
    let mut rows = Vec::new();
    if !image.is_empty() && last >= 0 {
        let largest = image.iter().map(|v| v.to_f32().abs()).fold(0.0, f32::max);
        let least = ROUNDING * largest;
        let space = ScaleSpace::new(image, last, threads)?;
        let polar = Polar::new(
            RAYS,
            RADII,
            FIRST_RADIUS,
            LAST_RADIUS,
            EXPECTED_RADIUS,
            RADIUS_SPREAD,
        );
        let finest = Noise::new(&space.response(0)?, 0, 1, threads)?;
        for index in 0..=last {
            let seeds = seeds(&space, index, least, &finest, threads)?;
            rows.extend(parallel::map(threads, seeds.len(), |k| {
                describe(&space, &polar, index, &seeds[k])
            }));
        }
    }
    let mut table = Array2::zeros((rows.len(), COLUMNS.len()));
    let mut radii = Array2::zeros((rows.len(), RAYS));
    for (i, (row, outline)) in rows.iter().enumerate() {
        table.row_mut(i).assign(&ndarray::aview1(row));
        radii.row_mut(i).assign(&ndarray::aview1(outline));
    }
    Ok(Blobs { table, radii })
}

/// Median of |response| at a scale, from evenly drawn samples.
pub fn median_response(response: &Array2<f32>) -> f32 {
    let stride = response.len().div_ceil(MEDIAN_SAMPLES).max(1);
    let mut drawn: Vec<f32> = response.iter().step_by(stride).map(|v| v.abs()).collect();
    if drawn.is_empty() {
        return 0.0;
    }
    let middle = drawn.len() / 2;
    *drawn.select_nth_unstable_by(middle, f32::total_cmp).1
}

struct Seed {
    sign: f32,
    y: f32,
    x: f32,
    response: f32,
    local: f32,
    mean: f32,
    median: f32,
}

/// Mean |response| around every place of a scale, never below a part of that of the whole image.
struct Noise {
    blocks: Array2<f32>,
    side_px: f32,
    mean: f32,
}

impl Noise {
    fn new(response: &Array2<f32>, index: i32, step: usize, threads: usize) -> Result<Self> {
        let side = (BLOCK_SCALES * sigma_px(index) / step as f64)
            .round()
            .max(1.0) as usize;
        let sum: f64 = response.iter().map(|v| f64::from(v.abs())).sum();
        Ok(Self {
            blocks: local_noise(response, side, threads)?,
            side_px: (side * step) as f32,
            mean: (sum / response.len() as f64) as f32,
        })
    }

    fn at(&self, y: f32, x: f32) -> f32 {
        let local = between_blocks(&self.blocks, self.side_px, y, x);
        let floor = LEAST_LOCAL * self.mean;
        (local * local + floor * floor).sqrt()
    }
}

/// Extrema of the response at a scale, the most distinct of each sign.
fn seeds(
    space: &ScaleSpace,
    index: i32,
    least: f32,
    finest: &Noise,
    threads: usize,
) -> Result<Vec<Seed>> {
    let response = space.response(index)?;
    let step = space.level(index).step;
    let noise = Noise::new(&response, index, step, threads)?;
    let median = median_response(&response).max(LEAST_MEDIAN * noise.mean);
    let mut out = Vec::new();
    let sigma = sigma_px(index);
    let independent = ((response.len() * step * step) as f64 / (sigma * sigma)).max(2.0);
    let noise_maximum = (NOISE_MAXIMUM * (2.0 * independent.ln()).sqrt() / sigma) as f32;
    let kept = KEPT + response.len() / SAMPLES_PER_KEPT;
    for sign in [1f32, -1.0] {
        let mut found: Vec<Seed> = extrema(&response, sign, least)
            .into_iter()
            .map(|(i, j)| (i, j, (i * step) as f32, (j * step) as f32))
            // Averaged over the area of a scale, white noise falls as one over its width.
            .filter(|&(i, j, y, x)| sign * response[(i, j)] > noise_maximum * finest.at(y, x))
            .map(|(i, j, y, x)| Seed {
                sign,
                y,
                x,
                response: sign * response[(i, j)],
                local: noise.at(y, x),
                mean: noise.mean,
                median,
            })
            .collect();
        found.sort_by(|a, b| (b.response / b.local).total_cmp(&(a.response / a.local)));
        found.truncate(kept);
        out.extend(found);
    }
    Ok(out)
}

/// Pixels whose response, times `sign`, is above `least` and largest among its eight neighbours; of equal ones the first in reading order.
fn extrema(response: &Array2<f32>, sign: f32, least: f32) -> Vec<(usize, usize)> {
    let (height, width) = response.dim();
    let data = response.as_slice().expect("responses are contiguous");
    let mut out = Vec::new();
    for i in 0..height {
        for j in 0..width {
            let value = sign * data[i * width + j];
            if value <= least || (j > 0 && sign * data[i * width + j - 1] >= value) {
                continue;
            }
            let wins = (i.saturating_sub(1)..(i + 2).min(height)).all(|k| {
                (j.saturating_sub(1)..(j + 2).min(width)).all(|l| {
                    let other = sign * data[k * width + l];
                    (k, l) == (i, j) || other < value || (other == value && (k, l) > (i, j))
                })
            });
            if wins {
                out.push((i, j));
            }
        }
    }
    out
}

/// Mean |response| around each block of `side` samples, strong places clipped so that crowded regions do not hide their own particles.
fn local_noise(response: &Array2<f32>, side: usize, threads: usize) -> Result<Array2<f32>> {
    let first = gaussian(
        block_means(response, side, None).view(),
        NOISE_BLOCKS,
        threads,
    )?;
    gaussian(
        block_means(response, side, Some(&first)).view(),
        CLIPPED_NOISE_BLOCKS,
        threads,
    )
}

/// Block means of |response|, values above `CLIP_AT` times their block's `limit` cut to that.
fn block_means(response: &Array2<f32>, side: usize, limit: Option<&Array2<f32>>) -> Array2<f32> {
    let (height, width) = response.dim();
    let shape = (height.div_ceil(side), width.div_ceil(side));
    Array2::from_shape_fn(shape, |(i, j)| {
        let (y1, x1) = (((i + 1) * side).min(height), ((j + 1) * side).min(width));
        let block = response.slice(s![i * side..y1, j * side..x1]);
        let limit = limit.map_or(f32::INFINITY, |l| CLIP_AT * l[(i, j)]);
        block.iter().map(|v| v.abs().min(limit)).sum::<f32>() / block.len() as f32
    })
}

/// Block values interpolated at a position [px].
fn between_blocks(blocks: &Array2<f32>, side_px: f32, y: f32, x: f32) -> f32 {
    let (height, width) = blocks.dim();
    let at = |v: f32, n: usize| {
        let p = ((v + 0.5) / side_px - 0.5).clamp(0.0, (n - 1) as f32);
        (p as usize, (p as usize + 1).min(n - 1), p.fract())
    };
    let ((a, b, u), (c, d, v)) = (at(y, height), at(x, width));
    (blocks[(a, c)] * (1.0 - v) + blocks[(a, d)] * v) * (1.0 - u)
        + (blocks[(b, c)] * (1.0 - v) + blocks[(b, d)] * v) * u
}

/// The row of `COLUMNS` and the radii of a seed.
fn describe(
    space: &ScaleSpace,
    polar: &Polar,
    index: i32,
    seed: &Seed,
) -> ([f32; COLUMNS.len()], Vec<f32>) {
    let sigma = sigma_px(index) as f32;
    let mut profile = polar.sample(space.level(index - FINER), seed.y, seed.x, |_| sigma);
    profile.iter_mut().for_each(|v| *v *= seed.sign);
    let (ring, mut descents) = polar.trace(&profile);
    let n = polar.radii().len();
    let radii: Vec<f32> = ring.iter().map(|&k| sigma * polar.radii()[k]).collect();
    let (mut inside, mut outside, mut contrast) = (vec![], vec![], vec![]);
    for (t, &k) in ring.iter().enumerate() {
        let a = profile[t * n + k.saturating_sub(CONTRAST_REACH)];
        let b = profile[t * n + (k + CONTRAST_REACH).min(n - 1)];
        inside.push(a);
        outside.push(b);
        contrast.push(a - b);
    }
    let core = (0..RAYS)
        .map(|t| profile[t * n] + profile[t * n + 1])
        .sum::<f32>()
        / (2 * RAYS) as f32;
    let fine = space.level((index - FINER).max(0) - FINER);
    let sharp = polar
        .directions()
        .iter()
        .zip(&radii)
        .map(|(&(sin, cos), &radius)| {
            let at = |r: f32| fine.at(seed.y + r * sin, seed.x + r * cos);
            [1.0 / SHARP_SHIFT, 1.0, SHARP_SHIFT]
                .iter()
                .map(|shift| {
                    let r = radius * shift;
                    seed.sign * (at(r * (1.0 - SHARP_REACH)) - at(r * (1.0 + SHARP_REACH)))
                })
                .fold(f32::NEG_INFINITY, f32::max)
        })
        .collect::<Vec<f32>>();
    let logs: Vec<f32> = radii.iter().map(|r| r.ln()).collect();
    let roughness = (0..RAYS)
        .map(|t| (logs[(t + 1) % RAYS] - logs[t]).abs())
        .sum::<f32>()
        / RAYS as f32;
    let (descent_mean, descent_std) = mean_std(&descents);
    let (inside_mean, inside_std) = mean_std(&inside);
    let outside_std = mean_std(&outside).1;
    let contrast_mean = mean_std(&contrast).0;
    descents.sort_by(f32::total_cmp);
    contrast.sort_by(f32::total_cmp);
    let row = [
        seed.sign,
        seed.y,
        seed.x,
        index as f32,
        sigma,
        seed.response,
        seed.local,
        seed.mean,
        seed.median,
        descent_mean,
        descents[RAYS / 10],
        descents[RAYS / 4],
        descents[RAYS / 2],
        descent_std,
        contrast_mean,
        contrast[RAYS / 10],
        inside_std,
        outside_std,
        core - inside_mean,
        mean_std(&sharp).0,
        roughness,
        mean_std(&logs).1,
    ];
    (row, radii)
}

fn mean_std(values: &[f32]) -> (f32, f32) {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_is_found_with_its_radius() {
        let image = Array2::from_shape_fn((80, 90), |(y, x)| {
            let r = ((y as f32 - 40.0).powi(2) + (x as f32 - 45.0).powi(2)).sqrt();
            10.0 + 90.0 * (12.5 - r).clamp(0.0, 1.0)
        });
        let blobs = blobs(image.view(), 12, 1).unwrap();
        let best = (0..blobs.table.nrows())
            .filter(|&i| blobs.table[(i, 0)] > 0.0)
            .max_by(|&a, &b| blobs.table[(a, 5)].total_cmp(&blobs.table[(b, 5)]))
            .unwrap();
        assert!((blobs.table[(best, 1)] - 40.0).abs() <= 2.0);
        assert!((blobs.table[(best, 2)] - 45.0).abs() <= 2.0);
        let mean = blobs.radii.row(best).mean().unwrap();
        assert!((mean / 12.0 - 1.0).abs() < 0.15, "{mean}");
    }

    #[test]
    fn flat_and_empty_images_have_none() {
        for image in [Array2::<u8>::zeros((0, 7)), Array2::from_elem((9, 9), 7)] {
            assert_eq!(blobs(image.view(), 6, 1).unwrap().table.nrows(), 0);
        }
    }
}
