//! Gaussian scale space of an image on grids that coarsen with the scale, and its band-pass responses.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, s};

use crate::error::Result;
use crate::pixel::Pixel;
use crate::segment::gaussian::gaussian;

/// Scales an octave.
pub const PER_OCTAVE: i32 = 3;

/// First scale kept, relative to 1 px: outlines of the smallest blobs are followed at this index, which is the image itself.
pub const FIRST: i32 = -5;

/// A response is the difference of the smoothed images this many scales apart (ratio 2^(2/3) ≈ 1.6, near the Laplacian).
const RESPONSE_SPAN: i32 = 2;

/// The grid is halved where a scale exceeds this many of its steps.
const COARSEN_AT_STEPS: f64 = 3.0;

/// Below this standard deviation [px] the sampled image is taken as it is.
const SHARPEST_PX: f64 = 0.45;

/// Standard deviation [px] of a scale.
pub fn sigma_px(index: i32) -> f64 {
    2f64.powf(f64::from(index) / f64::from(PER_OCTAVE))
}

/// The image smoothed to one scale, every `step`-th pixel kept.
#[derive(Clone)]
pub struct Level {
    /// Position in the sequence of scales.
    pub index: i32,
    /// Distance of neighbouring samples [px].
    pub step: usize,
    /// The smoothed samples; sample (i, j) lies on pixel (i step, j step).
    pub smooth: Arc<Array2<f32>>,
    /// Smoothing the samples have had [px].
    blur_px: f64,
}

impl Level {
    /// Value at a position [px], interpolated; outside the image the border's value.
    #[inline]
    pub fn at(&self, y: f32, x: f32) -> f32 {
        let (height, width) = self.smooth.dim();
        let step = self.step as f32;
        let y = (y / step).clamp(0.0, (height - 1) as f32);
        let x = (x / step).clamp(0.0, (width - 1) as f32);
        let (i, j) = (y as usize, x as usize);
        let (i1, j1) = ((i + 1).min(height - 1), (j + 1).min(width - 1));
        let (u, v) = (y - i as f32, x - j as f32);
        let data = self.smooth.as_slice().expect("levels are contiguous");
        let (a, b) = (i * width, i1 * width);
        let top = data[a + j] * (1.0 - v) + data[a + j1] * v;
        let bottom = data[b + j] * (1.0 - v) + data[b + j1] * v;
        top * (1.0 - u) + bottom * u
    }

    fn blurred_to(&self, sigma_px: f64, threads: usize) -> Result<Array2<f32>> {
        let more = (sigma_px * sigma_px - self.blur_px * self.blur_px)
            .max(0.0)
            .sqrt();
        gaussian(self.smooth.view(), more / self.step as f64, threads)
    }
}

/// The scales from `FIRST` to `last`.
pub struct ScaleSpace {
    levels: Vec<Level>,
    threads: usize,
}

impl ScaleSpace {
    /// Smooths `image` to every scale up to `last`.
    pub fn new<T: Pixel>(image: ArrayView2<'_, T>, last: i32, threads: usize) -> Result<Self> {
        let mut level = Level {
            index: FIRST,
            step: 1,
            smooth: Arc::new(gaussian(image, 0.0, threads)?),
            blur_px: 0.0,
        };
        let mut levels = vec![level.clone()];
        for index in FIRST + 1..=last {
            let sigma = sigma_px(index);
            level.index = index;
            if sigma > SHARPEST_PX {
                if sigma > COARSEN_AT_STEPS * level.step as f64 {
                    level.smooth = Arc::new(level.smooth.slice(s![..;2, ..;2]).to_owned());
                    level.step *= 2;
                }
                level.smooth = Arc::new(level.blurred_to(sigma, threads)?);
                level.blur_px = sigma;
            }
            levels.push(level.clone());
        }
        Ok(Self { levels, threads })
    }

    /// The level of a scale; scales before the first are the first.
    pub fn level(&self, index: i32) -> &Level {
        &self.levels[(index.max(FIRST) - FIRST) as usize]
    }

    /// Band-pass response at a scale, on the grid of its level: positive inside bright blobs of radius ≈ 1.6 sigma.
    pub fn response(&self, index: i32) -> Result<Array2<f32>> {
        let level = self.level(index);
        let wide = self
            .levels
            .get((index + RESPONSE_SPAN - FIRST) as usize)
            .filter(|wide| wide.step == level.step);
        match wide {
            Some(wide) => Ok(level.smooth.as_ref() - wide.smooth.as_ref()),
            None => Ok(level.smooth.as_ref()
                - level.blurred_to(sigma_px(index + RESPONSE_SPAN), self.threads)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaussian_blob_answers_most_near_its_own_scale() {
        let sigma = 5.0;
        let image = Array2::from_shape_fn((97, 97), |(y, x)| {
            let (dy, dx) = (y as f64 - 48.0, x as f64 - 48.0);
            100.0 * (-(dy * dy + dx * dx) / (2.0 * sigma * sigma)).exp()
        });
        let space = ScaleSpace::new(image.view(), 12, 1).unwrap();
        let best = (0..=12)
            .max_by(|&a, &b| {
                let value = |i: i32| {
                    let step = space.level(i).step;
                    space.response(i).unwrap()[(48 / step, 48 / step)]
                };
                value(a).total_cmp(&value(b))
            })
            .unwrap();
        // The response of ratio k peaks at sigma / sqrt(k).
        assert!((sigma_px(best) / (sigma / 1.26) - 1.0).abs() < 0.27);
    }

    #[test]
    fn interpolation_is_exact_on_samples_and_linear_between() {
        let image = Array2::from_shape_fn((4, 5), |(y, x)| (10 * y + x) as f32);
        let space = ScaleSpace::new(image.view(), FIRST, 1).unwrap();
        let level = space.level(FIRST);
        assert_eq!(level.at(2.0, 3.0), 23.0);
        assert!((level.at(1.5, 2.25) - 17.25).abs() < 1e-5);
        assert_eq!(level.at(-3.0, 99.0), 4.0);
    }
}
