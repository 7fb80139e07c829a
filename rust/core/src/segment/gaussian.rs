//! Separable Gaussian filter: reflected borders, cut at four standard deviations (scipy's meaning).

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;

/// Kernel radius in standard deviations.
const TRUNCATE: f64 = 4.0;

/// Rows filtered as one piece of work.
const BLOCK_ROWS: usize = 64;

/// Gaussian-filtered copy of `image`; `sigma_px` = 0 only converts.
pub fn gaussian<T: Pixel>(
    image: ArrayView2<'_, T>,
    sigma_px: f64,
    threads: usize,
) -> Result<Array2<f32>> {
    if !(sigma_px >= 0.0 && sigma_px.is_finite()) {
        return Err(Error::invalid("sigma_px", "a finite number >= 0", sigma_px));
    }
    let (height, width) = image.dim();
    let mut out = Array2::<f32>::zeros((height, width));
    if height == 0 || width == 0 {
        return Ok(out);
    }
    let weights = half_kernel(sigma_px);
    let radius = weights.len() - 1;
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, BLOCK_ROWS * width, |i_block, block| {
        let mut padded = vec![0f32; width + 2 * radius];
        for (i, row) in block.chunks_mut(width).enumerate() {
            let y = i_block * BLOCK_ROWS + i;
            let middle = &mut padded[radius..radius + width];
            middle.fill(0.0);
            for k in 0..=radius {
                let above = image.index_axis(Axis(0), reflect(y as isize - k as isize, height));
                let below = image.index_axis(Axis(0), reflect(y as isize + k as isize, height));
                let w = if k == 0 { 0.5 * weights[0] } else { weights[k] };
                for ((m, &a), &b) in middle.iter_mut().zip(above).zip(below) {
                    *m += w * (a.to_f32() + b.to_f32());
                }
            }
            for k in 0..radius {
                padded[radius - 1 - k] = padded[radius + reflect(-1 - k as isize, width)];
                padded[radius + width + k] = padded[radius + reflect((width + k) as isize, width)];
            }
            row.fill(0.0);
            for k in 0..=radius {
                let w = if k == 0 { 0.5 * weights[0] } else { weights[k] };
                let left = &padded[radius - k..radius - k + width];
                let right = &padded[radius + k..radius + k + width];
                for ((r, &a), &b) in row.iter_mut().zip(left).zip(right) {
                    *r += w * (a + b);
                }
            }
        }
    });
    Ok(out)
}

/// Normalised weights for offsets 0, 1, …, radius.
fn half_kernel(sigma_px: f64) -> Vec<f32> {
    let radius = (TRUNCATE * sigma_px + 0.5) as usize;
    let raw: Vec<f64> = (0..=radius)
        .map(|k| {
            if k == 0 {
                1.0
            } else {
                (-0.5 * (k as f64 / sigma_px).powi(2)).exp()
            }
        })
        .collect();
    let sum = 2.0 * raw.iter().sum::<f64>() - raw[0];
    raw.iter().map(|w| (w / sum) as f32).collect()
}

/// Index of a border-reflected position (the edge pixel is repeated: d c b a | a b c d | d c b a).
fn reflect(i: isize, n: usize) -> usize {
    let n = n as isize;
    let i = i.rem_euclid(2 * n);
    (if i < n { i } else { 2 * n - 1 - i }) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_constant_image() {
        let image = Array2::<u16>::from_elem((7, 5), 300);
        let out = gaussian(image.view(), 2.5, 1).unwrap();
        assert!(out.iter().all(|v| (v - 300.0).abs() < 1e-3));
    }

    #[test]
    fn refuses_a_negative_sigma() {
        let image = Array2::<u8>::zeros((3, 3));
        assert_eq!(
            gaussian(image.view(), -1.0, 1).unwrap_err().kind(),
            "invalid_value"
        );
    }
}
