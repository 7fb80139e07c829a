//! The Fourier transform of a volume on a padded grid, and its value anywhere inside the Nyquist sphere.

use ndarray::ArrayView3;
use rustfft::num_complex::Complex;

use super::kaiser_bessel::{PADDING, transforms, weights, weights_with_slopes};
use super::padded_transform;
pub use super::padded_transform::grid_shape;
use crate::error::{Error, Result};

/// A grid as `nanospa.reconstruct.FourierVolume` holds it; see `padded_transform`.
#[derive(Clone, Copy)]
pub struct FourierVolume<'a> {
    grid: &'a [Complex<f32>],
    n: usize,
}

/// A whole number below 2²² as an integer: its bits after adding 1.5 · 2²³, cheaper than a conversion that checks.
#[inline(always)]
pub(super) fn integer(whole: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (whole + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i32
}

/// Σ w over four complex numbers given as (re, im) after one another.
#[inline(always)]
fn along(sums: [f32; 8], w: [f32; 4]) -> Complex<f32> {
    // Hidden from the compiler, which would otherwise load re and im one by one all the way up instead of whole rows.
    let s = std::hint::black_box(sums);
    Complex::new(
        (s[0] * w[0] + s[2] * w[1]) + (s[4] * w[2] + s[6] * w[3]),
        (s[1] * w[0] + s[3] * w[1]) + (s[5] * w[2] + s[7] * w[3]),
    )
}

/// Where a sample lies: the corner of its 4³ grid points, how far above the second of them, and whether it was mirrored.
struct Place {
    corner: usize,
    fraction: [f32; 3],
    mirrored: bool,
}

impl<'a> FourierVolume<'a> {
    /// A grid of the shape `grid_shape(n)`, C-contiguous.
    pub fn new(grid: ArrayView3<'a, Complex<f32>>, n: usize) -> Result<Self> {
        let expected = grid_shape(n);
        if grid.dim() != expected || n < 2 || n % 2 == 1 {
            return Err(Error::ShapeMismatch {
                argument: "grid",
                expected: vec![expected.0, expected.1, expected.2],
                found: grid.shape().to_vec(),
            });
        }
        let Some(grid) = grid.to_slice() else {
            return Err(Error::invalid("grid", "a C-contiguous array", "strides"));
        };
        Ok(Self { grid, n })
    }

    /// Side of the box.
    pub fn n(&self) -> usize {
        self.n
    }

    #[inline(always)]
    fn place(&self, k: [f32; 3]) -> Option<Place> {
        let mirrored = k[2] < 0.0;
        let sign = if mirrored { -1.0 } else { 1.0 } * PADDING as f32;
        let p = [k[0] * sign, k[1] * sign, k[2] * sign];
        let reach = self.n as f32;
        // Also false for NaN.
        let inside = p[0] * p[0] + p[1] * p[1] + p[2] * p[2] < reach * reach;
        if !inside {
            return None;
        }
        let below = [p[0].floor(), p[1].floor(), p[2].floor()];
        let fraction = [p[0] - below[0], p[1] - below[1], p[2] - below[2]];
        let (_, ny, nx) = grid_shape(self.n);
        // The first tap lies one below, which is what the margins leave room for.
        let z = integer(below[2]) as usize;
        let y = (integer(below[1]) + self.n as i32) as usize;
        let x = (integer(below[0]) + self.n as i32) as usize;
        Some(Place {
            corner: (z * ny + y) * nx + x,
            fraction,
            mirrored,
        })
    }

    /// Four grid points in a row, the first `y` and `z` steps from a corner, as (re, im) after one another.
    #[inline(always)]
    fn row(&self, corner: usize, z: usize, y: usize) -> [f32; 8] {
        let (_, ny, nx) = grid_shape(self.n);
        let start = corner + (z * ny + y) * nx;
        let row: &[Complex<f32>; 4] = self.grid[start..start + 4]
            .first_chunk()
            .expect("four points");
        let [a, b, c, d] = row;
        [a.re, a.im, b.re, b.im, c.re, c.im, d.re, d.im]
    }

    /// The transform at `k` = (x, y, z) in Fourier pixels of the box; 0 where |k| reaches Nyquist.
    #[inline(always)]
    pub fn sample(&self, k: [f32; 3]) -> Complex<f32> {
        let Some(place) = self.place(k) else {
            return Complex::default();
        };
        let [u, v, w] = place.fraction;
        let (wx, wy, wz) = (weights(u), weights(v), weights(w));
        let mut sums = [0.0; 8];
        for z in 0..4 {
            // Four short sums, which the processor works on side by side.
            let mut layer = [0.0; 8];
            for y in 0..4 {
                let row = self.row(place.corner, z, y);
                for i in 0..8 {
                    layer[i] += row[i] * wy[y];
                }
            }
            for i in 0..8 {
                sums[i] += layer[i] * wz[z];
            }
        }
        let value = along(sums, wx);
        if place.mirrored { value.conj() } else { value }
    }

    /// The transform at `k` and its derivatives by the three components of `k`, per Fourier pixel.
    #[inline(always)]
    pub fn sample_with_gradient(&self, k: [f32; 3]) -> (Complex<f32>, [Complex<f32>; 3]) {
        let Some(place) = self.place(k) else {
            return Default::default();
        };
        let [u, v, w] = place.fraction;
        let (wx, sx) = weights_with_slopes(u);
        let (wy, sy) = weights_with_slopes(v);
        let (wz, sz) = weights_with_slopes(w);
        // Per x: the value and its derivatives by y and z.
        let mut sums = [[0.0; 8]; 3];
        for z in 0..4 {
            let (mut layer, mut slope) = ([0.0; 8], [0.0; 8]);
            for y in 0..4 {
                let row = self.row(place.corner, z, y);
                for i in 0..8 {
                    layer[i] += row[i] * wy[y];
                    slope[i] += row[i] * sy[y];
                }
            }
            for i in 0..8 {
                sums[0][i] += layer[i] * wz[z];
                sums[1][i] += slope[i] * wz[z];
                sums[2][i] += layer[i] * sz[z];
            }
        }
        let value = along(sums[0], wx);
        let gradient = [along(sums[0], sx), along(sums[1], wx), along(sums[2], wx)];
        // Mirrored: F(k) = conj F(−k), so its slope is −conj of the slope there.
        let per_pixel = PADDING as f32;
        if place.mirrored {
            (value.conj(), gradient.map(|g| -g.conj() * per_pixel))
        } else {
            (value, gradient.map(|g| g * per_pixel))
        }
    }
}

/// The grid of a cube with an even side, in an array that comes zeroed.
pub fn transform(volume: ArrayView3<f32>, grid: &mut [Complex<f32>], threads: usize) -> Result<()> {
    let n = volume.dim().0;
    let (nz, ny, nx) = grid_shape(n);
    if volume.dim() != (n, n, n) || n < 2 || n % 2 == 1 || grid.len() != nz * ny * nx {
        return Err(Error::ShapeMismatch {
            argument: "volume",
            expected: vec![n + n % 2; 3],
            found: volume.shape().to_vec(),
        });
    }
    let factors: Vec<f32> = transforms(n).iter().map(|t| (1.0 / t) as f32).collect();
    padded_transform::forward(volume, &factors, grid, threads);
    Ok(())
}

/// `sample` at places, after one another in `out`.
#[multiversion::multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn sample_all<'a>(
    volume: FourierVolume<'a>,
    places: &[[f32; 3]],
    out: &mut [Complex<f32>],
) {
    for (value, &k) in out.iter_mut().zip(places) {
        *value = volume.sample(k);
    }
}

/// `sample` at many places.
pub fn samples(
    volume: FourierVolume<'_>,
    places: &[[f32; 3]],
    threads: usize,
) -> Vec<Complex<f32>> {
    let mut out = vec![Complex::default(); places.len()];
    crate::parallel::for_each_block(threads, &mut out, 4096, |block, values| {
        sample_all(volume, &places[block * 4096..], values);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    /// The grid of a point of unit mass at `p` (x, y, z) from the centre, deconvolved as real space is.
    fn point(n: usize, p: [f64; 3]) -> Array3<Complex<f32>> {
        let scale: f64 = p
            .iter()
            .map(|x| super::super::kaiser_bessel::transform(x / (PADDING * n) as f64))
            .product();
        let centre = (n + 1) as f64;
        Array3::from_shape_fn(grid_shape(n), |(z, y, x)| {
            let k = [x as f64 - centre, y as f64 - centre, z as f64 - 1.0];
            let turns = (k[0] * p[0] + k[1] * p[1] + k[2] * p[2]) / (PADDING * n) as f64;
            let phase = -std::f64::consts::TAU * turns;
            Complex::new((phase.cos() / scale) as f32, (phase.sin() / scale) as f32)
        })
    }

    #[test]
    fn a_point_is_a_wave_and_slopes_are_differences() {
        let (n, p) = (16, [3.0, -5.0, 6.5]);
        let grid = point(n, p);
        let volume = FourierVolume::new(grid.view(), n).unwrap();
        for k in [
            [0.3f32, 1.7, -4.2],
            [-6.1, 2.0, 0.05],
            [0.0, 0.0, 0.0],
            [-0.01, 5.5, -5.5],
            [4.6, -4.5, 4.6],
        ] {
            let turns = (0..3).map(|i| k[i] as f64 * p[i]).sum::<f64>() / n as f64;
            let phase = -std::f64::consts::TAU * turns;
            let expected = Complex::new(phase.cos() as f32, phase.sin() as f32);
            let (value, gradient) = volume.sample_with_gradient(k);
            assert!((value - volume.sample(k)).norm() < 1e-5);
            assert!((value - expected).norm() < 2e-3, "{k:?}");
            for i in 0..3 {
                let slope =
                    Complex::new(0.0, (-std::f64::consts::TAU * p[i] / n as f64) as f32) * expected;
                assert!(
                    (gradient[i] - slope).norm() < 4e-2,
                    "{k:?} {i} {} {}",
                    gradient[i],
                    slope
                );
            }
        }
        assert_eq!(volume.sample([8.0, 0.0, 0.0]), Complex::default());
        assert_eq!(volume.sample([f32::NAN, 0.0, 0.0]), Complex::default());
    }
}
