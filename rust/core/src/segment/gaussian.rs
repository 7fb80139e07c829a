//! Separable Gaussian filter: reflected borders, cut at four standard deviations (scipy's meaning).

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;

/// Kernel radius in standard deviations.
const TRUNCATE: f64 = 4.0;

/// Least number of rows filtered as one piece of work.
const BAND_ROWS: usize = 32;

/// Gaussian-filtered copy of `image`; `sigma_px` = 0 only converts.
pub fn gaussian<T: Pixel>(
    image: ArrayView2<'_, T>,
    sigma_px: f64,
    threads: usize,
) -> Result<Array2<f32>> {
    let mut out = Array2::<f32>::zeros(image.dim());
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    gaussian_into(image, sigma_px, threads, slice)?;
    Ok(out)
}

/// The same, row after row into `out`.
pub fn gaussian_into<T: Pixel>(
    image: ArrayView2<'_, T>,
    sigma_px: f64,
    threads: usize,
    out: &mut [f32],
) -> Result<()> {
    if !(sigma_px >= 0.0 && sigma_px.is_finite()) {
        return Err(Error::invalid("sigma_px", "a finite number >= 0", sigma_px));
    }
    let (height, width) = image.dim();
    if height == 0 || width == 0 {
        return Ok(());
    }
    let weights = half_kernel(sigma_px);
    let radius = weights.len() - 1;
    // Bands overlap by the radius on either side: they grow with it.
    let band_rows = BAND_ROWS.max(2 * radius);
    let as_it_is = |y: usize| image.row(y).to_slice().and_then(T::as_f32);
    parallel::for_each_block(threads, out, band_rows * width, |i, block| {
        let y0 = i * band_rows;
        let y1 = y0 + block.len() / width;
        let met = y0.saturating_sub(radius)..(y1 + radius).min(height);
        let mut converted = Vec::new();
        if as_it_is(y0).is_none() {
            converted.resize(met.len() * width, 0.0);
            for (y, row) in met.clone().zip(converted.chunks_exact_mut(width)) {
                match image.row(y).to_slice() {
                    Some(values) => convert(values, row),
                    None => row
                        .iter_mut()
                        .zip(image.row(y))
                        .for_each(|(r, v)| *r = v.to_f32()),
                }
            }
        }
        let source = |y: isize| {
            let y = reflect(y, height);
            as_it_is(y).unwrap_or_else(|| &converted[(y - met.start) * width..][..width])
        };
        let mut rows: Vec<&[f32]> = Vec::with_capacity(2 * radius + 1);
        let mut padded = vec![0f32; width + 2 * radius];
        for (y, out) in (y0..y1).zip(block.chunks_exact_mut(width)) {
            rows.clear();
            rows.extend((0..=2 * radius).map(|k| source((y + k) as isize - radius as isize)));
            weigh(&rows, &weights, &mut padded[radius..radius + width]);
            for k in 0..radius {
                padded[radius - 1 - k] = padded[radius + reflect(-1 - k as isize, width)];
                padded[radius + width + k] = padded[radius + reflect((width + k) as isize, width)];
            }
            let shifted: Vec<&[f32]> = (0..=2 * radius).map(|k| &padded[k..k + width]).collect();
            weigh(&shifted, &weights, out);
        }
    });
    Ok(())
}

#[multiversion(targets("x86_64+avx2"))]
fn convert<T: Pixel>(values: &[T], row: &mut [f32]) {
    for (r, &v) in row.iter_mut().zip(values) {
        *r = v.to_f32();
    }
}

/// Weighted sum of 2 r + 1 rows, symmetric about the middle one. Sums stay in registers; rows opposite each other are added first.
#[multiversion(targets("x86_64+avx2"))]
fn weigh(rows: &[&[f32]], weights: &[f32], out: &mut [f32]) {
    const LANES: usize = 32;
    let radius = weights.len() - 1;
    let mut x = 0;
    while x + LANES <= out.len() {
        let mut sums = [0f32; LANES];
        let middle = &rows[radius][x..x + LANES];
        for (sum, &m) in sums.iter_mut().zip(middle) {
            *sum = weights[0] * m;
        }
        for k in 1..=radius {
            let before = &rows[radius - k][x..x + LANES];
            let behind = &rows[radius + k][x..x + LANES];
            for ((sum, &a), &b) in sums.iter_mut().zip(before).zip(behind) {
                *sum += weights[k] * (a + b);
            }
        }
        out[x..x + LANES].copy_from_slice(&sums);
        x += LANES;
    }
    for x in x..out.len() {
        out[x] = weights[0] * rows[radius][x];
        for k in 1..=radius {
            out[x] += weights[k] * (rows[radius - k][x] + rows[radius + k][x]);
        }
    }
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
