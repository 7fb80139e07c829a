//! Thresholds that follow the neighbourhood: Gaussian mean, Niblack (An Introduction to Digital Image Processing, 1986) and
//! Sauvola & Pietikäinen (Pattern Recogn. 33, 225, 2000).

use std::borrow::Cow;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, Zip};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;
use crate::segment::gaussian::gaussian;

/// Least number of rows worked on together.
const BAND_ROWS: usize = 64;

/// Windows per standard deviation of the Gaussian: a window holds six, as in scikit-image.
const SIGMAS: f64 = 6.0;

/// Rounding of the Gaussian, relative: flat neighbourhoods stay background.
const GAUSSIAN_ROUNDING: f32 = 2e-6;

/// Rounding of the window sums, relative.
const SUM_ROUNDING: f64 = 1e-12;

/// Height of the threshold above a window's mean m with standard deviation s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// The Gaussian mean itself.
    Gaussian,
    /// m − k s.
    Niblack {
        /// Weight of the standard deviation.
        k: f64,
    },
    /// m (1 + k (s / range − 1)).
    Sauvola {
        /// Weight of the standard deviation.
        k: f64,
        /// Largest standard deviation there can be.
        range: f64,
    },
}

/// Pixels above the threshold of the `size_px` × `size_px` window about them; `size_px` is odd.
pub fn local_threshold<T: Pixel>(
    image: ArrayView2<'_, T>,
    size_px: usize,
    rule: Rule,
    threads: usize,
) -> Result<Array2<bool>> {
    if size_px % 2 == 0 {
        return Err(Error::invalid("local_size_px", "an odd integer", size_px));
    }
    let (k, range) = match rule {
        Rule::Gaussian => return above_gaussian(image, size_px, threads),
        Rule::Niblack { k } => (k, None),
        Rule::Sauvola { k, range } => (k, Some(range)),
    };
    let (height, width) = image.dim();
    let mut out = Array2::from_elem((height, width), false);
    if image.is_empty() {
        return Ok(out);
    }
    let half = size_px / 2;
    let rows = BAND_ROWS.max(2 * size_px);
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, rows * width, |i, block| {
        let y0 = i * rows;
        let row = |y: usize, offset: isize| {
            let row = image.row(mirror(y as isize + offset, height));
            row.to_slice()
                .map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed)
        };
        let mut sums = vec![[0.0; 2]; width];
        for offset in -(half as isize)..=half as isize {
            exchange(&mut sums, &row(y0, offset), None);
        }
        let mut integral = vec![[0.0; 2]; width + 2 * half + 1];
        for (y, mask) in block.chunks_exact_mut(width).enumerate() {
            if y > 0 {
                let left = row(y0 + y, -1 - half as isize);
                exchange(&mut sums, &row(y0 + y, half as isize), Some(&left));
            }
            let mut total = [0.0; 2];
            for (x, sum) in integral[1..].iter_mut().enumerate() {
                let [a, b] = sums[mirror(x as isize - half as isize, width)];
                total = [total[0] + a, total[1] + b];
                *sum = total;
            }
            compare(mask, &row(y0 + y, 0), &integral, size_px, k, range);
        }
    });
    Ok(out)
}

fn above_gaussian<T: Pixel>(
    image: ArrayView2<'_, T>,
    size_px: usize,
    threads: usize,
) -> Result<Array2<bool>> {
    let mean = gaussian(image, (size_px - 1) as f64 / SIGMAS, threads)?;
    let above = |&v: &T, &m: &f32| v.to_f32() - m > GAUSSIAN_ROUNDING * m.abs();
    Ok(Zip::from(image).and(&mean).map_collect(above))
}

/// Index of a mirrored position (the edge pixel is not repeated: d c b | a b c d | c b a), as scikit-image's windows have it.
fn mirror(i: isize, n: usize) -> usize {
    let period = 2 * (n as isize - 1);
    if period == 0 {
        return 0;
    }
    let i = i.rem_euclid(period);
    i.min(period - i) as usize
}

/// Adds a row and its squares to the sums of the columns and takes another away.
#[multiversion(targets("x86_64+avx2"))]
fn exchange<T: Pixel>(sums: &mut [[f64; 2]], enters: &[T], leaves: Option<&[T]>) {
    for (sum, &v) in sums.iter_mut().zip(enters) {
        let v = v.to_f64();
        *sum = [sum[0] + v, sum[1] + v * v];
    }
    for (sum, &v) in sums.iter_mut().zip(leaves.unwrap_or_default()) {
        let v = v.to_f64();
        *sum = [sum[0] - v, sum[1] - v * v];
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn compare<T: Pixel>(
    mask: &mut [bool],
    row: &[T],
    integral: &[[f64; 2]],
    size: usize,
    k: f64,
    range: Option<f64>,
) {
    let per_pixel = 1.0 / (size * size) as f64;
    for (x, (out, &v)) in mask.iter_mut().zip(row).enumerate() {
        let (low, high) = (integral[x], integral[x + size]);
        let mean = (high[0] - low[0]) * per_pixel;
        let square = (high[1] - low[1]) * per_pixel;
        let variance = square - mean * mean;
        // The root would make much of what is only rounding.
        let rounding = variance <= SUM_ROUNDING * square;
        let deviation = if rounding { 0.0 } else { variance.sqrt() };
        let threshold = match range {
            None => mean - k * deviation,
            Some(range) => mean * (1.0 + k * (deviation / range - 1.0)),
        };
        *out = v.to_f64() - threshold > SUM_ROUNDING * mean.abs();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_without_repeating_the_edge() {
        let found: Vec<usize> = (-4..8).map(|i| mirror(i, 4)).collect();
        assert_eq!(found, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirror(-7, 1), 0);
    }

    #[test]
    fn flat_images_are_background() {
        let image = Array2::from_elem((40, 50), 0.1f64);
        let niblack = Rule::Niblack { k: 0.2 };
        for rule in [Rule::Gaussian, niblack] {
            let mask = local_threshold(image.view(), 7, rule, 2).unwrap();
            assert!(!mask.iter().any(|&m| m));
        }
        assert!(local_threshold(image.view(), 4, niblack, 1).is_err());
    }
}
