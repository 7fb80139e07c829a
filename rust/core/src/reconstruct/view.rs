//! How an image sees a volume: orientation, displacement, size.

use rustfft::num_complex::Complex;

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
