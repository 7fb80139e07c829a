//! From accumulated grids back to a volume: the plain adjoint of projection, or divided by the density of samples.

use ndarray::Array3;
use rustfft::num_complex::Complex;

use super::kaiser_bessel::{PADDING, transform, transforms};
use super::padded_transform::{extent, grid_shape, inverse};
use super::shells::shell_means;

type C = Complex<f32>;

/// Share of the mean density of a shell that is added to it: places that no image reaches stay empty instead of noisy.
const FLOOR: f64 = 1e-3;

/// The adjoint of projection, applied to what was inserted.
pub fn backprojection(numerator: &[C], n: usize, threads: usize) -> Array3<f32> {
    let factors: Vec<f32> = transforms(n)
        .iter()
        .map(|t| (1.0 / t / (n as f64).powf(2.0 / 3.0)) as f32)
        .collect();
    let (_, ny, nx) = grid_shape(n);
    let stored = |z: usize| &numerator[(z + 1) * ny * nx..(z + 2) * ny * nx];
    let row = |y: usize| (y + n - 1) % (2 * n) * 2 * n;
    let plane = |z: usize, values: &mut [C]| {
        // The padded transform has the period 2n; what reaches beyond it comes in again.
        for (i, line) in stored(z).chunks_exact(nx).enumerate() {
            add_wrapped(line.iter().copied(), &mut values[row(i)..row(i) + 2 * n]);
        }
        if z + 1 >= n {
            let mates = stored(2 * n - z);
            for (i, line) in mates.chunks_exact(nx).rev().enumerate() {
                let line = line.iter().rev().map(C::conj);
                add_wrapped(line, &mut values[row(i)..row(i) + 2 * n]);
            }
        }
    };
    inverse(plane, &factors, threads)
}

/// Adds a row of the grid, x = −n − 1 … n + 1, to one of the period 2n.
fn add_wrapped(line: impl Iterator<Item = C>, to: &mut [C]) {
    let period = to.len();
    for (i, value) in line.enumerate() {
        to[(i + period / 2 - 1) % period] += value;
    }
}

/// The volume whose slices fit the images best where samples are dense: numerator / (density + `noise_to_signal`).
///
/// `noise_to_signal` per shell, in the units of the weights: a density of 1 is one image of weight 1 at a Fourier pixel.
pub fn volume(
    numerator: &[C],
    density: &[f32],
    n: usize,
    noise_to_signal: &[f32],
    threads: usize,
) -> Array3<f32> {
    let (_, ny, nx) = grid_shape(n);
    // A sample's kernel sums to `transform(0)` along each axis, over PADDING grid points a Fourier pixel.
    let per_pixel = (PADDING as f64 / transform(0.0)).powi(3);
    let extra: Vec<f32> = shell_means(density, n, threads)
        .iter()
        .zip(noise_to_signal)
        .map(|(mean, noise)| (FLOOR * mean + f64::from(*noise) / per_pixel) as f32)
        .collect();
    let side = n as isize + 1;
    let plane = |z: usize, values: &mut [C]| {
        let height = extent(n, z as isize).min(n as isize - 1);
        for y in -height..=height {
            let start = ((z + 1) * ny + (y + side) as usize) * nx;
            let row = y.rem_euclid(2 * n as isize) as usize * 2 * n;
            let line = z * z + (y * y) as usize;
            if line >= n * n {
                continue;
            }
            let width = ((n * n - line) as f32).sqrt().ceil() as isize - 1;
            for x in -width..=width {
                let i = start + (x + side) as usize;
                let radius = ((line + (x * x) as usize) as f32).sqrt() / PADDING as f32;
                // Linear between shells; the last one holds on.
                let shell = (radius as usize).min(extra.len() - 1);
                let next = (shell + 1).min(extra.len() - 1);
                let above = radius - shell as f32;
                let dense = density[i] + extra[shell] + (extra[next] - extra[shell]) * above;
                if dense > 0.0 {
                    values[row + x.rem_euclid(2 * n as isize) as usize] = numerator[i] / dense;
                }
            }
        }
    };
    let scale = transform(0.0) / (PADDING * n) as f64;
    let factors: Vec<f32> = transforms(n).iter().map(|t| (scale / t) as f32).collect();
    inverse(plane, &factors, threads)
}
