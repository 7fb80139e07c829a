//! Projections of a volume: central slices of its Fourier transform.

use multiversion::multiversion;
use rustfft::num_complex::Complex;

use super::fourier_volume::FourierVolume;
use crate::error::Result;
use crate::{fourier, parallel};

type C = Complex<f32>;

/// How an image sees the volume.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// First two rows of p_image = R p_volume.
    pub detector: [[f64; 3]; 2],
    /// Displacement (dx, dy) of the content, in pixels.
    pub shift: [f64; 2],
    /// Size of the particle in the image over that in the volume.
    pub scale: f64,
}

impl View {
    /// Fourier pixel (1, 0) and (0, 1) of the image in the volume.
    pub(super) fn axes(&self) -> [[f32; 3]; 2] {
        self.detector
            .map(|row| row.map(|r| (r * self.scale) as f32))
    }

    /// A particle s times as large is s times as thick and covers s² times the area.
    pub(super) fn amplitude(&self) -> f64 {
        self.scale.powi(3)
    }

    /// exp(−2πi k d/n) for k = 0 … n/2 − 1 along `axis`, with the image's origin at n / 2.
    pub(super) fn phases(&self, n: usize, axis: usize) -> Vec<C> {
        let turn = -std::f64::consts::TAU * self.shift[axis] / n as f64;
        (0..n / 2)
            .map(|k| {
                let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
                let angle = turn * k as f64;
                Complex::new((sign * angle.cos()) as f32, (sign * angle.sin()) as f32)
            })
            .collect()
    }
}

/// Largest |ky| inside the Nyquist circle at `kx`.
pub(super) fn half_height(n: usize, kx: usize) -> isize {
    let left = (n * n / 4 - kx * kx) as f64;
    // Strictly inside: the largest integer below the root.
    left.sqrt().ceil() as isize - 1
}

/// The slice of `view` in columns kx = 0 … n/2, each with ky wrapped to n; outside the Nyquist circle it stays as it was.
#[multiversion(targets("x86_64+avx2+fma"))]
fn slice<'a>(volume: FourierVolume<'a>, view: View, factor: f32, columns: &mut [C]) {
    let n = volume.n();
    let [ux, uy] = view.axes();
    let (px, py) = (view.phases(n, 0), view.phases(n, 1));
    for kx in 0..n / 2 {
        let column = &mut columns[kx * n..(kx + 1) * n];
        let along = px[kx] * factor;
        let f = kx as f32;
        let x = [ux[0] * f, ux[1] * f, ux[2] * f];
        let height = half_height(n, kx);
        for ky in -height..=height {
            let f = ky as f32;
            let k = [x[0] + uy[0] * f, x[1] + uy[1] * f, x[2] + uy[2] * f];
            let phase = py[ky.unsigned_abs()];
            let (at, phase) = if ky < 0 {
                ((ky + n as isize) as usize, phase.conj())
            } else {
                (ky as usize, phase)
            };
            column[at] = volume.sample(k) * (along * phase);
        }
    }
}

/// Projections, images of n × n after one another in `out`.
pub fn project(
    volume: FourierVolume<'_>,
    views: &[View],
    out: &mut [f32],
    threads: usize,
) -> Result<()> {
    let n = volume.n();
    let columns_plan = fourier::inverse(n);
    let rows_plan = fourier::real_inverse(n);
    parallel::for_each_block(threads, out, n * n, |i, image| {
        let mut columns = vec![C::default(); n * (n / 2 + 1)];
        let factor = views[i].amplitude() / (n * n) as f64;
        slice(volume, views[i], factor as f32, &mut columns);
        let mut scratch = vec![
            C::default();
            columns_plan
                .get_inplace_scratch_len()
                .max(rows_plan.get_scratch_len())
        ];
        columns_plan.process_with_scratch(&mut columns[..n * n / 2], &mut scratch);
        let mut row = vec![C::default(); n / 2 + 1];
        for (y, pixels) in image.chunks_exact_mut(n).enumerate() {
            for (kx, value) in row.iter_mut().enumerate() {
                *value = columns[kx * n + y];
            }
            row[0].im = 0.0;
            rows_plan
                .process_with_scratch(&mut row, pixels, &mut scratch)
                .expect("buffers of the plan's lengths");
        }
    });
    Ok(())
}
