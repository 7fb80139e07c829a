//! Orientation, shift and size of each image moved to the nearest maximum of its correlation with the volume.
//!
//! c = Σ w Re(conj T · I e^{iφ}) / √(Σ w|T|² Σ w|I|²) over half of the Fourier samples of the image: T the slice of the volume,
//! φ what undoes the shift. Its maximum is the least-squares fit of αT to I e^{iφ}, found by Levenberg and Marquardt's method
//! with the analytic slopes of the slice; α is one of the unknowns.

use multiversion::multiversion;
use ndarray::{ArrayView2, ArrayView3, Axis};
use rustfft::num_complex::Complex;

use super::fourier_volume::FourierVolume;
use super::normal_equations::{NormalEquations, UNKNOWNS};
use super::pose::Pose;
use crate::error::{Error, Result};
use crate::{fourier, parallel};

type C = Complex<f32>;

/// Fourier samples whose slopes are held at a time.
const BLOCK: usize = 64;

/// What counts, and how long to search.
pub struct Refinement<'a> {
    /// Radii up to which Fourier samples count [Fourier px], coarse to fine; scores are those of the last.
    pub radii: &'a [f64],
    /// Weight of the radii 0, 1, … n/2 − 1; a sample takes that of the nearest.
    pub weights: &'a [f32],
    /// Whether the size is an unknown.
    pub fit_scale: bool,
    /// Most steps at each radius; 0 only scores.
    pub steps: usize,
}

/// Moves the poses and gives their correlations.
pub fn refine_poses(
    volume: FourierVolume<'_>,
    images: ArrayView3<'_, f32>,
    poses: &[Pose],
    refinement: &Refinement<'_>,
    threads: usize,
) -> Result<Vec<(Pose, f64)>> {
    let n = volume.n();
    let expected = [poses.len(), n, n];
    if images.shape() != expected {
        return Err(Error::ShapeMismatch {
            argument: "images",
            expected: expected.to_vec(),
            found: images.shape().to_vec(),
        });
    }
    if refinement.weights.len() != n / 2 {
        return Err(Error::ShapeMismatch {
            argument: "weights",
            expected: vec![n / 2],
            found: vec![refinement.weights.len()],
        });
    }
    let inside = |r: &f64| *r >= 1.0 && *r < (n / 2) as f64;
    if refinement.radii.is_empty() || !refinement.radii.iter().all(inside) {
        let expected = "numbers from 1 to below half the box";
        let found = format!("{:?}", refinement.radii);
        return Err(Error::invalid("radii_max", expected, found));
    }
    Ok(parallel::map(threads, poses.len(), |i| {
        let target = Target::new(images.index_axis(Axis(0), i), refinement);
        target.refine(volume, poses[i], refinement)
    }))
}

/// The Fourier samples of an image in the half plane, in the order that reads the volume with the fewest jumps.
struct Target {
    n: usize,
    samples: Vec<Sample>,
    /// Σ w|I|².
    power: f64,
}

#[derive(Clone, Copy)]
struct Sample {
    k: [i32; 2],
    weight: f32,
    value: C,
}

impl Target {
    fn new(image: ArrayView2<'_, f32>, refinement: &Refinement<'_>) -> Self {
        let n = image.nrows();
        let columns = transform(image);
        let largest = refinement.radii.iter().copied().fold(0.0, f64::max);
        let reach = largest as i32;
        let samples = (0..=reach)
            .flat_map(|x| (-reach..=reach).map(move |y| [x, y]))
            .filter(|k| k[0] > 0 || k[1] > 0)
            .filter_map(|k| {
                let weight = refinement.weights[(radius(k).round() as usize).min(n / 2 - 1)];
                let row = k[1].rem_euclid(n as i32) as usize;
                let value = columns[k[0] as usize * n + row];
                (weight > 0.0).then_some(Sample { k, weight, value })
            })
            .collect();
        Self {
            n,
            samples,
            power: 0.0,
        }
        .within(largest)
    }

    /// The samples inside a radius.
    fn within(&self, largest: f64) -> Self {
        let mut samples = self.samples.clone();
        samples.retain(|s| radius(s.k) <= largest);
        let power = samples
            .iter()
            .map(|s| s.weight as f64 * s.value.norm_sqr() as f64)
            .sum();
        Self {
            n: self.n,
            samples,
            power,
        }
    }

    /// Coarse to fine.
    fn refine(&self, volume: FourierVolume<'_>, start: Pose, r: &Refinement<'_>) -> (Pose, f64) {
        let mut work = Work::new(self.n);
        let (&last, coarse) = r.radii.split_last().expect("checked");
        let full = self.within(last);
        let mut pose = start;
        let mut best = full.evaluate(volume, pose, &mut work);
        if r.steps == 0 {
            return (pose, best.score);
        }
        if !coarse.is_empty() {
            let mut moved = start;
            for &largest in coarse {
                let target = self.within(largest);
                let from = target.evaluate(volume, moved, &mut work);
                (moved, _) = target.climb(volume, moved, from, r, &mut work);
            }
            let there = full.evaluate(volume, moved, &mut work);
            // What few samples say may be wrong for all.
            if there.score > best.score {
                (pose, best) = (moved, there);
            }
        }
        let (pose, best) = full.climb(volume, pose, best, r, &mut work);
        (pose, best.score)
    }

    /// Steps of Levenberg and Marquardt while they help.
    fn climb(
        &self,
        volume: FourierVolume<'_>,
        mut pose: Pose,
        mut here: Evaluation,
        r: &Refinement<'_>,
        work: &mut Work,
    ) -> (Pose, Evaluation) {
        let mut damping = 1e-3;
        for _ in 0..r.steps {
            let Some(step) = here.sums.step(damping, r.fit_scale) else {
                break;
            };
            let moved = pose.moved(&step);
            let there = self.evaluate(volume, moved, work);
            if there.score > here.score {
                (pose, here) = (moved, there);
                damping = f64::max(damping * 0.1, 1e-6);
            } else {
                damping *= 8.0;
            }
            if step.is_small() {
                break;
            }
        }
        (pose, here)
    }

    /// Correlation at a pose, with the normal equations of the fit.
    fn evaluate(&self, volume: FourierVolume<'_>, pose: Pose, work: &mut Work) -> Evaluation {
        let mut sums = NormalEquations::default();
        accumulate(volume, &self.samples, pose, self.n, work, &mut sums);
        let both = sums.normal[0][0] * self.power;
        Evaluation {
            score: if both > 0.0 {
                sums.right[0] / both.sqrt()
            } else {
                0.0
            },
            sums,
        }
    }
}

fn radius(k: [i32; 2]) -> f64 {
    ((k[0] * k[0] + k[1] * k[1]) as f64).sqrt()
}

/// Columns x = 0 … n/2 of the transform of an image, its origin at index n / 2.
fn transform(image: ArrayView2<'_, f32>) -> Vec<C> {
    let n = image.nrows();
    let (along_x, along_y) = (fourier::real_forward(n), fourier::forward(n));
    let mut columns = vec![C::default(); (n / 2 + 1) * n];
    let mut row = along_x.make_input_vec();
    let mut line = along_x.make_output_vec();
    let mut scratch = along_x.make_scratch_vec();
    let wrapped = |i: usize| (i + n - n / 2) % n;
    for (y, pixels) in image.rows().into_iter().enumerate() {
        for (x, &pixel) in pixels.iter().enumerate() {
            row[wrapped(x)] = pixel;
        }
        along_x
            .process_with_scratch(&mut row, &mut line, &mut scratch)
            .expect("buffers are made by the plan");
        for (x, &value) in line.iter().enumerate() {
            columns[x * n + wrapped(y)] = value;
        }
    }
    let mut scratch = vec![C::default(); along_y.get_inplace_scratch_len()];
    along_y.process_with_scratch(&mut columns, &mut scratch);
    columns
}

/// Slopes of a block of samples: per unknown real parts, imaginary parts; the data last.
struct Work {
    columns: [[[f32; BLOCK]; 2]; UNKNOWNS + 1],
    phases: [Vec<C>; 2],
}

impl Work {
    fn new(n: usize) -> Self {
        Self {
            columns: [[[0.0; BLOCK]; 2]; UNKNOWNS + 1],
            phases: [vec![C::default(); n / 2], vec![C::default(); n / 2]],
        }
    }
}

#[multiversion(targets("x86_64+avx2+fma"))]
fn accumulate<'a>(
    volume: FourierVolume<'a>,
    samples: &[Sample],
    pose: Pose,
    n: usize,
    work: &mut Work,
    sums: &mut NormalEquations,
) {
    let turns = std::f64::consts::TAU / n as f64;
    for (phases, shift) in work.phases.iter_mut().zip(pose.shift) {
        for (k, phase) in phases.iter_mut().enumerate() {
            let (sin, cos) = (turns * shift * k as f64).sin_cos();
            *phase = Complex::new(cos as f32, sin as f32);
        }
    }
    let axes = pose.rotation.map(|row| row.map(|v| v as f32));
    let scale = pose.scale as f32;
    let turns = turns as f32;
    for block in samples.chunks(BLOCK) {
        for (j, sample) in block.iter().enumerate() {
            let k = sample.k.map(|k| k as f32);
            let at = [0, 1, 2].map(|c| (k[0] * axes[0][c] + k[1] * axes[1][c]) * scale);
            let (value, gradient) = volume.sample_with_gradient(at);
            // The slope along the axes of the image, per Fourier pixel of the image.
            let along = axes.map(|axis| {
                (gradient[0] * axis[0] + gradient[1] * axis[1] + gradient[2] * axis[2]) * scale
            });
            let py = work.phases[1][sample.k[1].unsigned_abs() as usize];
            let py = if sample.k[1] < 0 { py.conj() } else { py };
            let data = sample.value * (work.phases[0][sample.k[0] as usize] * py);
            let turned = Complex::new(value.im * turns, -value.re * turns);
            let root = sample.weight.sqrt();
            let columns = [
                value,
                -along[2] * k[1],
                along[2] * k[0],
                along[0] * k[1] - along[1] * k[0],
                turned * k[0],
                turned * k[1],
                along[0] * k[0] + along[1] * k[1],
                data,
            ];
            for (column, value) in work.columns.iter_mut().zip(columns) {
                column[0][j] = value.re * root;
                column[1][j] = value.im * root;
            }
        }
        for column in &mut work.columns {
            column[0][block.len()..].fill(0.0);
            column[1][block.len()..].fill(0.0);
        }
        for a in 0..UNKNOWNS {
            for b in a..UNKNOWNS {
                sums.normal[a][b] += product(&work.columns[a], &work.columns[b]);
            }
            sums.right[a] += product(&work.columns[a], &work.columns[UNKNOWNS]);
        }
    }
}

/// Real part of the inner product, summed in eight lanes.
#[inline(always)]
fn product(a: &[[f32; BLOCK]; 2], b: &[[f32; BLOCK]; 2]) -> f64 {
    let mut lanes = [0.0f32; 8];
    for part in 0..2 {
        for (a, b) in a[part].chunks_exact(8).zip(b[part].chunks_exact(8)) {
            for i in 0..8 {
                lanes[i] += a[i] * b[i];
            }
        }
    }
    lanes.iter().map(|&lane| lane as f64).sum()
}

/// A correlation, and what the next step is made from.
struct Evaluation {
    score: f64,
    sums: NormalEquations,
}
