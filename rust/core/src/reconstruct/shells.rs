//! Sums over shells of Fourier space; shell r holds the radii that round to r, in Fourier pixels of the box.

use ndarray::{ArrayView3, s};
use rustfft::num_complex::Complex;

use super::kaiser_bessel::PADDING;
use super::padded_transform::grid_shape;
use crate::error::{Error, Result};
use crate::parallel;

/// Mean of a padded half grid over each shell 0 … n/2 − 1.
pub(super) fn shell_means(grid: &[f32], n: usize, threads: usize) -> Vec<f64> {
    let (_, ny, nx) = grid_shape(n);
    let side = n as isize + 1;
    let planes = parallel::map(threads, n, |z| {
        let mut sums = vec![(0.0f64, 0usize); n / 2];
        let plane = &grid[(z + 1) * ny * nx..(z + 2) * ny * nx];
        for (i, row) in plane.chunks_exact(nx).enumerate() {
            let y = i as isize - side;
            let line = z * z + (y * y) as usize;
            if line >= n * n {
                continue;
            }
            let width = ((n * n - line) as f32).sqrt().ceil() as isize - 1;
            for x in -width..=width {
                let radius = ((line + (x * x) as usize) as f32).sqrt() / PADDING as f32;
                if let Some((sum, count)) = sums.get_mut(radius.round() as usize) {
                    *sum += f64::from(row[(x + side) as usize]);
                    *count += 1;
                }
            }
        }
        sums
    });
    (0..n / 2)
        .map(|shell| {
            let (sum, count) = planes.iter().fold((0.0, 0), |(sum, count), plane| {
                (sum + plane[shell].0, count + plane[shell].1)
            });
            sum / count.max(1) as f64
        })
        .collect()
}

/// Per shell 0 … n/2 − 1 of two half transforms (z, y, x ≥ 0) of real cubes: Σ Re a b̄, Σ |a|², Σ |b|² over all of Fourier space.
pub fn shell_products(
    a: ArrayView3<Complex<f32>>,
    b: ArrayView3<Complex<f32>>,
    threads: usize,
) -> Result<Vec<[f64; 3]>> {
    let n = a.dim().0;
    if a.dim() != (n, n, n / 2 + 1) || b.dim() != a.dim() {
        return Err(Error::ShapeMismatch {
            argument: "b",
            expected: vec![n, n, n / 2 + 1],
            found: b.shape().to_vec(),
        });
    }
    let signed = |i: usize| {
        if i > n / 2 {
            i as f64 - n as f64
        } else {
            i as f64
        }
    };
    let planes = parallel::map(threads, n, |z| {
        let mut sums = vec![[0.0; 3]; n / 2];
        for y in 0..n {
            let (a, b) = (a.slice(s![z, y, ..]), b.slice(s![z, y, ..]));
            let line = signed(z).powi(2) + signed(y).powi(2);
            for x in 0..n / 2 {
                let shell = (line + (x * x) as f64).sqrt().round() as usize;
                let Some(sum) = sums.get_mut(shell) else {
                    break;
                };
                // x > 0 stands for −x as well.
                let times = if x == 0 { 1.0 } else { 2.0 };
                let [p, q] = [a[x], b[x]].map(|v| [f64::from(v.re), f64::from(v.im)]);
                sum[0] += times * (p[0] * q[0] + p[1] * q[1]);
                sum[1] += times * (p[0] * p[0] + p[1] * p[1]);
                sum[2] += times * (q[0] * q[0] + q[1] * q[1]);
            }
        }
        sums
    });
    let mut out = vec![[0.0; 3]; n / 2];
    for plane in planes {
        for (total, sum) in out.iter_mut().zip(plane) {
            for i in 0..3 {
                total[i] += sum[i];
            }
        }
    }
    Ok(out)
}
