//! The half of an image's Fourier space inside the Nyquist circle that holds everything: the image is real.

use rustfft::num_complex::Complex;

use super::view::View;

type C = Complex<f32>;

/// Fourier pixels with kx > 0, or kx = 0 and ky ≥ 0; the other half is the mirror image.
pub(super) struct HalfDisc {
    /// (kx, first ky, last ky) of the columns.
    pub(super) columns: Vec<(usize, isize, isize)>,
    /// Shell of every sample, column after column.
    pub(super) shells: Vec<usize>,
    n: usize,
}

impl HalfDisc {
    pub(super) fn new(n: usize) -> Self {
        // Strictly inside: the largest integer below the root.
        let height = |kx: usize| ((n * n / 4 - kx * kx) as f64).sqrt().ceil() as isize - 1;
        let columns: Vec<_> = (0..n / 2)
            .map(|kx| (kx, if kx == 0 { 0 } else { -height(kx) }, height(kx)))
            .collect();
        let shell = |kx: usize, ky: isize| ((kx * kx) as f64 + (ky * ky) as f64).sqrt().round();
        let shells = columns
            .iter()
            .flat_map(|&(kx, first, last)| (first..=last).map(move |ky| shell(kx, ky) as usize))
            .map(|shell| shell.min(n / 2 - 1))
            .collect();
        Self { columns, shells, n }
    }

    /// Index among columns of n, where ky is wrapped to n, and exp(−2πi k·d/n) with the image's origin at n / 2: for each sample.
    pub(super) fn for_each(&self, view: View, mut f: impl FnMut(usize, usize, C)) {
        let (px, py) = (view.phases(self.n, 0), view.phases(self.n, 1));
        let mut sample = 0;
        for &(kx, first, last) in &self.columns {
            for ky in first..=last {
                let phase = py[ky.unsigned_abs()];
                let (at, phase) = if ky < 0 {
                    ((ky + self.n as isize) as usize, phase.conj())
                } else {
                    (ky as usize, phase)
                };
                f(sample, kx * self.n + at, px[kx] * phase);
                sample += 1;
            }
        }
    }

    /// Puts samples of a volume, as `view` shows them, into zeroed columns of an image's transform, over n².
    pub(super) fn place(&self, samples: &[C], view: View, columns: &mut [C]) {
        let factor = (view.amplitude() / (self.n * self.n) as f64) as f32;
        self.for_each(view, |sample, at, phase| {
            columns[at] = samples[sample] * (phase * factor);
        });
        // The column kx = 0 mirrors itself.
        for ky in 1..self.n / 2 {
            columns[self.n - ky] = columns[ky].conj();
        }
    }
}
