//! The film under the particles: a field of the specimen's position, made of waves, with holes.

use multiversion::multiversion;

use super::scan::{Place, Scan};

/// cos(k · p + phase) with an amplitude.
#[derive(Debug, Clone, Copy)]
pub struct Wave {
    /// Wave vector (y, x), radians per unit of length.
    pub k: Place,
    /// Phase at the origin.
    pub phase: f64,
    /// Amplitude relative to the mean.
    pub amplitude: f64,
}

/// A round hole.
#[derive(Debug, Clone, Copy)]
pub struct Hole {
    /// Centre (y, x).
    pub centre: Place,
    /// Radius.
    pub radius: f64,
}

/// A film: mean · (1 + waves), nothing in the holes; an edge of a hole rises over about two `edge`.
#[derive(Debug, Clone)]
pub struct Film {
    /// Mean signal.
    pub mean: f64,
    /// Its variation.
    pub waves: Vec<Wave>,
    /// Where it is missing.
    pub holes: Vec<Hole>,
    /// Half width of a hole's edge.
    pub edge: f64,
}

/// Cosines and sines of every wave along the columns: with those of a line's start they give the wave at every pixel, so that a pixel
/// costs two products a wave.
pub struct Columns {
    cos: Vec<f32>,
    sin: Vec<f32>,
    width: usize,
}

impl Film {
    /// The parts of the waves that all lines share.
    pub fn columns(&self, scan: &Scan) -> Columns {
        let width = scan.columns().len();
        let (mut cos, mut sin) = (
            Vec::with_capacity(width * self.waves.len()),
            Vec::with_capacity(width * self.waves.len()),
        );
        for wave in &self.waves {
            for place in scan.columns() {
                let (s, c) = (wave.k[0] * place[0] + wave.k[1] * place[1]).sin_cos();
                cos.push(c as f32);
                sin.push(s as f32);
            }
        }
        Columns { cos, sin, width }
    }

    /// Writes the film's signal along a line of the scan.
    pub fn line(&self, scan: &Scan, columns: &Columns, row: usize, out: &mut [f32]) {
        out.fill(1.0);
        let start = scan.rows()[row];
        let w = columns.width;
        for (i, wave) in self.waves.iter().enumerate() {
            let (s, c) = (wave.k[0] * start[0] + wave.k[1] * start[1] + wave.phase).sin_cos();
            add_wave(
                out,
                &columns.cos[i * w..(i + 1) * w],
                &columns.sin[i * w..(i + 1) * w],
                (wave.amplitude * c) as f32,
                (wave.amplitude * s) as f32,
            );
        }
        let mean = self.mean as f32;
        out.iter_mut().for_each(|v| *v = v.max(0.0) * mean);
        for hole in &self.holes {
            for j in scan.columns_near(row, hole.centre, hole.radius + self.edge) {
                let column = scan.columns()[j];
                let (y, x) = (
                    start[0] + column[0] - hole.centre[0],
                    start[1] + column[1] - hole.centre[1],
                );
                // Smooth step from the inner to the outer side of the edge.
                let t = ((y.hypot(x) - hole.radius) / (2.0 * self.edge) + 0.5).clamp(0.0, 1.0);
                out[j] *= (t * t * (3.0 - 2.0 * t)) as f32;
            }
        }
    }
}

/// cos(a + b) = cos a cos b − sin a sin b, with the line's part as factors.
#[multiversion(targets("x86_64+avx2"))]
fn add_wave(out: &mut [f32], cos: &[f32], sin: &[f32], c: f32, s: f32) {
    for ((o, &cos), &sin) in out.iter_mut().zip(cos).zip(sin) {
        *o += c * cos - s * sin;
    }
}
