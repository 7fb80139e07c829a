//! Orientation, shift and size of each image moved to the nearest maximum of its correlation with the volume.
//!
//! c = Σ w Re(conj T · I e^{iφ}) / √(Σ w|T|² Σ w|I|²) over half of the Fourier samples of the image: T the slice of the volume,
//! φ what undoes the shift. Its maximum is the least-squares fit of αT to I e^{iφ}, found by Levenberg and Marquardt's method
//! with the analytic slopes of the slice; α is one of the unknowns.

use multiversion::multiversion;
use ndarray::{ArrayView2, ArrayView3, Axis};
use rustfft::num_complex::Complex;

use super::fourier_volume::FourierVolume;
use crate::error::{Error, Result};
use crate::{fourier, parallel};

type C = Complex<f32>;

/// Amplitude, three turns, two shifts, size.
const UNKNOWNS: usize = 7;

/// Fourier samples whose slopes are held at a time.
const BLOCK: usize = 64;

/// Largest turn [rad], shift [px] and relative growth of one step: about where the slopes stop being a guide.
const LARGEST_TURN: f64 = 0.15;
const LARGEST_SHIFT: f64 = 2.0;
const LARGEST_GROWTH: f64 = 0.1;

/// Steps below which the search ends [rad, px, relative]: far below what any image determines.
const SMALL_TURN: f64 = 1e-5;
const SMALL_SHIFT: f64 = 1e-4;

/// How an image sees the volume.
#[derive(Clone, Copy, Debug)]
pub struct Pose {
    /// p_image = R p_volume.
    pub rotation: [[f64; 3]; 3],
    /// Displacement (dx, dy) of the content [px].
    pub shift: [f64; 2],
    /// Size of the particle in the image over that in the volume.
    pub scale: f64,
}

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

/// The Fourier samples of an image in the half plane, from the smallest radius to the largest.
struct Target {
    n: usize,
    samples: Vec<Sample>,
    /// Σ w|I|² of the samples up to and with each.
    powers: Vec<f64>,
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
        let mut samples: Vec<Sample> = (0..=reach)
            .flat_map(|x| (-reach..=reach).map(move |y| [x, y]))
            .filter(|k| (k[0] > 0 || k[1] > 0) && radius(*k) <= largest)
            .filter_map(|k| {
                let weight = refinement.weights[(radius(k).round() as usize).min(n / 2 - 1)];
                let row = k[1].rem_euclid(n as i32) as usize;
                let value = columns[k[0] as usize * n + row];
                (weight > 0.0).then_some(Sample { k, weight, value })
            })
            .collect();
        samples.sort_by_key(|s| (s.k[0] * s.k[0] + s.k[1] * s.k[1], s.k));
        let mut power = 0.0;
        let powers = samples
            .iter()
            .map(|s| {
                power += s.weight as f64 * s.value.norm_sqr() as f64;
                power
            })
            .collect();
        Self { n, samples, powers }
    }

    fn within(&self, largest: f64) -> usize {
        self.samples.partition_point(|s| radius(s.k) <= largest)
    }

    fn refine(&self, volume: FourierVolume<'_>, start: Pose, r: &Refinement<'_>) -> (Pose, f64) {
        let mut work = Work::new(self.n);
        let (&last, coarse) = r.radii.split_last().expect("checked");
        let full = self.within(last);
        let mut pose = start;
        let mut best = self.evaluate(volume, pose, full, &mut work);
        if r.steps == 0 {
            return (pose, best.score);
        }
        if !coarse.is_empty() {
            let mut moved = start;
            for &largest in coarse {
                let count = self.within(largest);
                let from = self.evaluate(volume, moved, count, &mut work);
                (moved, _) = self.climb(volume, moved, from, count, r, &mut work);
            }
            let there = self.evaluate(volume, moved, full, &mut work);
            // What few samples say may be wrong for all.
            if there.score > best.score {
                (pose, best) = (moved, there);
            }
        }
        let (pose, best) = self.climb(volume, pose, best, full, r, &mut work);
        (pose, best.score)
    }

    /// Steps of Levenberg and Marquardt while they help.
    fn climb(
        &self,
        volume: FourierVolume<'_>,
        mut pose: Pose,
        mut here: Evaluation,
        count: usize,
        r: &Refinement<'_>,
        work: &mut Work,
    ) -> (Pose, Evaluation) {
        let mut damping = 1e-3;
        for _ in 0..r.steps {
            let Some(step) = here.step(damping, r.fit_scale) else {
                break;
            };
            let moved = pose.moved(&step);
            let there = self.evaluate(volume, moved, count, work);
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

    /// Correlation at a pose over the first `count` samples, with the normal equations of the fit.
    fn evaluate(
        &self,
        volume: FourierVolume<'_>,
        pose: Pose,
        count: usize,
        work: &mut Work,
    ) -> Evaluation {
        let mut sums = Sums::default();
        if count > 0 {
            accumulate(
                volume,
                &self.samples[..count],
                pose,
                self.n,
                work,
                &mut sums,
            );
        }
        let power = if count > 0 {
            self.powers[count - 1]
        } else {
            0.0
        };
        let both = sums.normal[0][0] * power;
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

/// Σ w Re(conj J J') and Σ w Re(conj J D): the fit's normal equations.
#[derive(Clone, Copy, Default)]
struct Sums {
    normal: [[f64; UNKNOWNS]; UNKNOWNS],
    right: [f64; UNKNOWNS],
}

#[multiversion(targets("x86_64+avx2+fma"))]
fn accumulate<'a>(
    volume: FourierVolume<'a>,
    samples: &[Sample],
    pose: Pose,
    n: usize,
    work: &mut Work,
    sums: &mut Sums,
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
    sums: Sums,
}

/// Turns about the axes of the image [rad], shift [px], growth [relative].
struct Step {
    turn: [f64; 3],
    shift: [f64; 2],
    growth: f64,
}

impl Step {
    fn is_small(&self) -> bool {
        self.turn.iter().all(|t| t.abs() < SMALL_TURN)
            && self.shift.iter().all(|s| s.abs() < SMALL_SHIFT)
            && self.growth.abs() < SMALL_TURN
    }
}

impl Evaluation {
    /// The damped step; None where the image says nothing.
    fn step(&self, damping: f64, fit_scale: bool) -> Option<Step> {
        let m = if fit_scale { UNKNOWNS } else { UNKNOWNS - 1 };
        let Sums { normal, right } = &self.sums;
        if normal[0][0] <= 0.0 {
            return None;
        }
        // A slice that fits with a negative amplitude is moved towards a positive one.
        let alpha = (right[0] / normal[0][0]).abs();
        if alpha == 0.0 || !alpha.is_finite() {
            return None;
        }
        // The amplitude follows the others exactly: it is eliminated, undamped.
        let mut matrix = [[0.0; UNKNOWNS]; UNKNOWNS];
        let mut vector = [0.0; UNKNOWNS];
        for a in 1..m {
            let share = normal[0][a] / normal[0][0];
            for b in a..m {
                matrix[a][b] = normal[a][b] - share * normal[0][b];
                matrix[b][a] = matrix[a][b];
            }
            vector[a] = (right[a] - share * right[0]) / alpha;
        }
        // Damped in units of pixels at the rim: a turn that a round particle does not show must not run away.
        for a in 1..m {
            let floor = 1e-6 * normal[0][0];
            matrix[a][a] += damping * matrix[a][a] + floor;
        }
        let x = solve(&mut matrix, &vector, 1..m)?;
        let largest = |values: &[f64], limit: f64| {
            let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
            if norm > limit { limit / norm } else { 1.0 }
        };
        let shorter = largest(&x[1..4], LARGEST_TURN)
            .min(largest(&x[4..6], LARGEST_SHIFT))
            .min(largest(&x[6..7], LARGEST_GROWTH));
        let x = x.map(|v| v * shorter);
        Some(Step {
            turn: [x[1], x[2], x[3]],
            shift: [x[4], x[5]],
            growth: x[6],
        })
    }
}

/// Solves the symmetric positive definite part `range` of a system by Cholesky's method.
fn solve(
    matrix: &mut [[f64; UNKNOWNS]; UNKNOWNS],
    vector: &[f64; UNKNOWNS],
    range: std::ops::Range<usize>,
) -> Option<[f64; UNKNOWNS]> {
    let mut x = [0.0; UNKNOWNS];
    for i in range.clone() {
        for j in range.start..=i {
            let sum: f64 = (range.start..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - sum;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                matrix[i][i] = rest.sqrt();
            } else {
                matrix[i][j] = rest / matrix[j][j];
            }
        }
        let sum: f64 = (range.start..i).map(|k| matrix[i][k] * x[k]).sum();
        x[i] = (vector[i] - sum) / matrix[i][i];
    }
    for i in range.clone().rev() {
        let sum: f64 = (i + 1..range.end).map(|k| matrix[k][i] * x[k]).sum();
        x[i] = (x[i] - sum) / matrix[i][i];
    }
    Some(x)
}

impl Pose {
    /// exp([turn]×) R, and the rest added.
    fn moved(&self, step: &Step) -> Self {
        let [x, y, z] = step.turn;
        let angle = (x * x + y * y + z * z).sqrt();
        let (a, b) = if angle < 1e-8 {
            (1.0, 0.5)
        } else {
            (angle.sin() / angle, (1.0 - angle.cos()) / (angle * angle))
        };
        let cross = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]];
        let mut rotation = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                for k in 0..3 {
                    let square: f64 = (0..3).map(|l| cross[i][l] * cross[l][k]).sum();
                    let one = if i == k { 1.0 } else { 0.0 };
                    rotation[i][j] += (one + a * cross[i][k] + b * square) * self.rotation[k][j];
                }
            }
        }
        Self {
            rotation: orthonormal(rotation),
            shift: [self.shift[0] + step.shift[0], self.shift[1] + step.shift[1]],
            scale: self.scale * step.growth.exp(),
        }
    }
}

/// The rotation next to a matrix that is one up to rounding.
fn orthonormal(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let unit = |a: [f64; 3]| a.map(|v| v / dot(a, a).sqrt());
    let x = unit(m[0]);
    let along = dot(x, m[1]);
    let y = unit([0, 1, 2].map(|c| m[1][c] - along * x[c]));
    let z = [
        x[1] * y[2] - x[2] * y[1],
        x[2] * y[0] - x[0] * y[2],
        x[0] * y[1] - x[1] * y[0],
    ];
    [x, y, z]
}
