//! Angular spectra of rings: the Fourier transform of an image, or of a slice of a volume, along circles about the origin.
//!
//! On a ring the transform f of a real image has f(θ + π) = conj f(θ). So g = Re f + Im f is real, holds everything, and
//! Re⟨f, h⟩ = ⟨g, g'⟩ (Hartley). What is kept of a ring is the transform of g along the circle, scaled so that the sum of
//! Re(a conj b) over rings and harmonics is the inner product of the rings.

use ndarray::{Array3, Array4, ArrayView2, ArrayView3, Axis};
use realfft::RealToComplex;
use rustfft::num_complex::Complex;
use std::sync::Arc;

use super::fourier_volume::FourierVolume;
use super::kaiser_bessel::{PADDING, WIDTH, transforms, weights};
use crate::error::{Error, Result};
use crate::{fourier, parallel};

/// Which circles, and what is kept of them.
pub struct Circles<'a> {
    /// Radii [Fourier px].
    pub radii: &'a [f32],
    /// Weights of the rings in the inner product, beside the radius that each gets for its length.
    pub weights: &'a [f32],
    /// Samples a circle, a multiple of 4.
    pub n_angles: usize,
    /// Whether to keep only the even harmonics: those of shapes with an inversion centre.
    pub centrosymmetric: bool,
}

impl Circles<'_> {
    /// Angles that differ: half of the circle where a half turn changes nothing.
    pub fn distinct_angles(&self) -> usize {
        if self.centrosymmetric {
            self.n_angles / 2
        } else {
            self.n_angles
        }
    }

    /// Harmonics kept of a ring.
    pub fn n_harmonics(&self) -> usize {
        self.distinct_angles() / 2 + 1
    }

    fn check(&self, n: usize) -> Result<()> {
        if self.n_angles < 4 || self.n_angles % 4 != 0 {
            let expected = "a multiple of 4, at least 4";
            return Err(Error::invalid("n_angles", expected, self.n_angles));
        }
        if self.weights.len() != self.radii.len() {
            return Err(Error::ShapeMismatch {
                argument: "weights",
                expected: vec![self.radii.len()],
                found: vec![self.weights.len()],
            });
        }
        let inside = |r: &&f32| !(**r > 0.0 && **r < (n / 2) as f32);
        if let Some(radius) = self.radii.iter().find(inside) {
            let expected = "numbers above 0 and below half the box";
            return Err(Error::invalid("radii", expected, radius));
        }
        Ok(())
    }

    /// Cosine and sine of the angles of the half circle.
    fn half_circle(&self) -> Vec<(f64, f64)> {
        (0..self.n_angles / 2)
            .map(|i| {
                let (sin, cos) =
                    (std::f64::consts::TAU * i as f64 / self.n_angles as f64).sin_cos();
                (cos, sin)
            })
            .collect()
    }
}

/// Turns samples along half circles into harmonics.
struct Angular {
    plan: Arc<dyn RealToComplex<f32>>,
    circle: Vec<f32>,
    harmonics: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    scales: Vec<f32>,
    centrosymmetric: bool,
}

impl Angular {
    fn new(circles: &Circles<'_>, plan: &Arc<dyn RealToComplex<f32>>) -> Self {
        let m = circles.distinct_angles();
        // A harmonic and its conjugate count twice, the first and the last once.
        let scales = (0..circles.n_harmonics())
            .map(|k| if k == 0 || 2 * k == m { 1.0 } else { 2.0 })
            .map(|count: f32| {
                // Even harmonics of the whole circle: both halves are alike.
                let halves = if circles.centrosymmetric { 2.0 } else { 1.0 };
                (halves * count / m as f32).sqrt()
            })
            .collect();
        Self {
            plan: Arc::clone(plan),
            circle: plan.make_input_vec(),
            harmonics: plan.make_output_vec(),
            scratch: plan.make_scratch_vec(),
            scales,
            centrosymmetric: circles.centrosymmetric,
        }
    }

    /// Harmonics of one ring from its half circle, times `amplitude`.
    fn transform(&mut self, half: &[Complex<f32>], amplitude: f32, out: &mut [Complex<f32>]) {
        if self.centrosymmetric {
            for (g, f) in self.circle.iter_mut().zip(half) {
                *g = f.re;
            }
        } else {
            let (first, second) = self.circle.split_at_mut(half.len());
            for ((g, opposite), f) in first.iter_mut().zip(second).zip(half) {
                *g = f.re + f.im;
                *opposite = f.re - f.im;
            }
        }
        self.plan
            .process_with_scratch(&mut self.circle, &mut self.harmonics, &mut self.scratch)
            .expect("buffers are made by the plan");
        for ((value, harmonic), scale) in out.iter_mut().zip(&self.harmonics).zip(&self.scales) {
            *value = harmonic * (scale * amplitude);
        }
    }
}

/// Square roots of what a ring counts: its length times its weight.
fn amplitudes(circles: &Circles<'_>) -> Vec<f32> {
    circles
        .radii
        .iter()
        .zip(circles.weights)
        .map(|(r, w)| (r * w.max(0.0)).sqrt())
        .collect()
}

/// One over a norm; 0 for nothing, so that nothing correlates with anything.
fn inverse_norm(power: f64) -> f32 {
    if power > 0.0 {
        power.sqrt().recip() as f32
    } else {
        0.0
    }
}

/// Spectra (image, shift, ring, harmonic) of images, whose origin is at index n / 2.
///
/// A shift (dx, dy) [px] is what the content is displaced by: it is undone. The rings of an image, odd harmonics included, have
/// norm 1.
pub fn rings(
    images: ArrayView3<'_, f32>,
    circles: &Circles<'_>,
    shifts: ArrayView2<'_, f32>,
    threads: usize,
) -> Result<Array4<Complex<f32>>> {
    let (n_images, height, n) = images.dim();
    if height != n || n < 2 || n % 2 == 1 {
        return Err(Error::ShapeMismatch {
            argument: "images",
            expected: vec![n_images, n - n % 2, n - n % 2],
            found: images.shape().to_vec(),
        });
    }
    circles.check(n)?;
    let factors: Vec<f32> = transforms(n).iter().map(|t| t.recip() as f32).collect();
    let plan = fourier::real_forward(circles.distinct_angles());
    let amplitudes = amplitudes(circles);
    let directions = circles.half_circle();
    let (half, harmonics) = (directions.len(), circles.n_harmonics());
    let mut out = Array4::zeros((n_images, shifts.nrows(), circles.radii.len(), harmonics));
    let per_image = shifts.nrows() * circles.radii.len() * harmonics;
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, per_image, |i, spectra| {
        let plane = Plane::new(images.index_axis(Axis(0), i), &factors, circles);
        let mut samples = Vec::with_capacity(circles.radii.len() * half);
        let mut power = 0.0;
        for (&radius, &amplitude) in circles.radii.iter().zip(&amplitudes) {
            for &(cos, sin) in &directions {
                let (x, y) = (radius as f64 * cos, radius as f64 * sin);
                let value = plane.sample(x as f32, y as f32) * amplitude;
                power += 2.0 * value.norm_sqr() as f64;
                samples.push(value);
            }
        }
        let scale = inverse_norm(power);
        let mut angular = Angular::new(circles, &plan);
        let mut moved = vec![Complex::default(); half];
        for (shift, spectra) in shifts
            .rows()
            .into_iter()
            .zip(spectra.chunks_mut(circles.radii.len() * harmonics))
        {
            let turns = [0, 1].map(|axis| shift[axis] as f64 * std::f64::consts::TAU / n as f64);
            for (ring, spectrum) in spectra.chunks_mut(harmonics).enumerate() {
                let radius = circles.radii[ring] as f64;
                for (j, value) in moved.iter_mut().enumerate() {
                    let (cos, sin) = directions[j];
                    let phase = radius * (turns[0] * cos + turns[1] * sin);
                    let (sin, cos) = (phase as f32).sin_cos();
                    *value = samples[ring * half + j] * Complex::new(cos, sin);
                }
                angular.transform(&moved, scale, spectrum);
            }
        }
    });
    Ok(out)
}

/// The transform of an image in steps of half a Fourier pixel, x ≥ 0, as far as the rings need it.
struct Plane {
    /// Grid points from the origin that are known, along x and along y to both sides.
    reach: usize,
    /// Index (x + 1, y + reach), with one column on the other side of the origin.
    values: Vec<Complex<f32>>,
}

impl Plane {
    fn new(image: ArrayView2<'_, f32>, factors: &[f32], circles: &Circles<'_>) -> Self {
        let n = factors.len();
        let padded = PADDING * n;
        let largest = circles.radii.iter().copied().fold(0.0, f32::max);
        let reach = (largest * PADDING as f32).ceil() as usize + WIDTH / 2;
        let along_x = fourier::real_forward(padded);
        let along_y = fourier::forward(padded);
        // The origin of the box goes to index 0.
        let wrapped = |i: usize| (i + padded - n / 2) % padded;
        let mut columns = vec![Complex::default(); (reach + 1) * padded];
        let mut row = along_x.make_input_vec();
        let mut transform = along_x.make_output_vec();
        let mut scratch = along_x.make_scratch_vec();
        for (y, pixels) in image.rows().into_iter().enumerate() {
            row.fill(0.0);
            for (x, (pixel, factor)) in pixels.iter().zip(factors).enumerate() {
                row[wrapped(x)] = pixel * factor * factors[y];
            }
            along_x
                .process_with_scratch(&mut row, &mut transform, &mut scratch)
                .expect("buffers are made by the plan");
            for x in 0..=reach {
                // Beyond Nyquist the transform repeats.
                let value = if x <= n {
                    transform[x]
                } else {
                    transform[padded - x].conj()
                };
                columns[x * padded + wrapped(y)] = value;
            }
        }
        let mut scratch = vec![Complex::default(); along_y.get_inplace_scratch_len()];
        along_y.process_with_scratch(&mut columns, &mut scratch);
        let height = 2 * reach + 1;
        let mut values = vec![Complex::default(); (reach + 2) * height];
        for x in 0..=reach {
            for (i, value) in values[(x + 1) * height..][..height].iter_mut().enumerate() {
                *value = columns[x * padded + (i + padded * 2 - reach) % padded];
            }
        }
        // F(k) = conj F(−k).
        for i in 0..height {
            values[i] = values[2 * height + height - 1 - i].conj();
        }
        Self { reach, values }
    }

    /// The transform at (x, y) Fourier pixels.
    fn sample(&self, x: f32, y: f32) -> Complex<f32> {
        let mirrored = x < 0.0;
        let sign = if mirrored { -1.0 } else { 1.0 } * PADDING as f32;
        let (x, y) = (x * sign, y * sign);
        let (below_x, below_y) = (x.floor(), y.floor());
        let (wx, wy) = (weights(x - below_x), weights(y - below_y));
        let height = 2 * self.reach + 1;
        // The first tap lies one below.
        let row = (below_y as isize + self.reach as isize - 1) as usize;
        let mut value = Complex::default();
        for (column, weight) in wx.iter().enumerate() {
            let taps = &self.values[(below_x as usize + column) * height + row..][..WIDTH];
            let along: Complex<f32> = taps.iter().zip(wy).map(|(tap, w)| tap * w).sum();
            value += along * *weight;
        }
        if mirrored { value.conj() } else { value }
    }
}

/// Spectra (view, ring, harmonic) of the projections of a volume, each of norm 1.
pub fn view_rings(
    volume: FourierVolume<'_>,
    rotations: ArrayView3<'_, f64>,
    circles: &Circles<'_>,
    threads: usize,
) -> Result<Array3<Complex<f32>>> {
    circles.check(volume.n())?;
    let plan = fourier::real_forward(circles.distinct_angles());
    let amplitudes = amplitudes(circles);
    let directions = circles.half_circle();
    let (n_rings, harmonics) = (circles.radii.len(), circles.n_harmonics());
    let n_views = rotations.len_of(Axis(0));
    let mut out = Array3::zeros((n_views, n_rings, harmonics));
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, n_rings * harmonics, |i, spectra| {
        let axes = rotations.index_axis(Axis(0), i);
        let mut angular = Angular::new(circles, &plan);
        let mut half = vec![Complex::default(); directions.len()];
        for (ring, spectrum) in spectra.chunks_mut(harmonics).enumerate() {
            let radius = circles.radii[ring] as f64;
            for (value, &(cos, sin)) in half.iter_mut().zip(&directions) {
                let k =
                    [0, 1, 2].map(|c| (radius * (cos * axes[[0, c]] + sin * axes[[1, c]])) as f32);
                *value = volume.sample(k);
            }
            angular.transform(&half, amplitudes[ring], spectrum);
        }
        let power: f64 = spectra.iter().map(|value| value.norm_sqr() as f64).sum();
        let scale = inverse_norm(power);
        spectra.iter_mut().for_each(|value| *value *= scale);
    });
    Ok(out)
}
