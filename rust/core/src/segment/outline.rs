//! Closed outlines around a seed: the radius of the steepest descent along rays, made one ring by dynamic programming.

use std::f32::consts::TAU;

use crate::segment::scale_space::Level;

/// Radii of neighbouring rays differ by at most this many grid steps.
const JUMP: isize = 1;

/// A descent is taken between samples this many grid steps on either side.
const REACH: usize = 2;

/// Grid of rays and radii around a seed, in units of a length given with the seed.
pub struct Polar {
    directions: Vec<(f32, f32)>,
    radii: Vec<f32>,
    weights: Vec<f32>,
}

impl Polar {
    /// `n_radii` radii, spaced evenly in their logarithm; descents near `expected` count more (Gaussian of `width` in the logarithm).
    pub fn new(
        n_rays: usize,
        n_radii: usize,
        first: f32,
        last: f32,
        expected: f32,
        width: f32,
    ) -> Self {
        let ratio = (last / first).powf(1.0 / (n_radii - 1) as f32);
        let radii: Vec<f32> = (0..n_radii).map(|k| first * ratio.powi(k as i32)).collect();
        Self {
            directions: (0..n_rays)
                .map(|t| (t as f32 * TAU / n_rays as f32).sin_cos())
                .collect(),
            weights: radii
                .iter()
                .map(|r| (-((r / expected).ln() / width).powi(2) / 2.0).exp())
                .collect(),
            radii,
        }
    }

    /// Rays, each a (sine, cosine) towards (y, x).
    pub fn directions(&self) -> &[(f32, f32)] {
        &self.directions
    }

    /// Radii in units of the seed's length.
    pub fn radii(&self) -> &[f32] {
        &self.radii
    }

    /// Values along the rays: `n_rays` rows of `n_radii`; `length_px` is the unit of the radii on each ray [px].
    pub fn sample(
        &self,
        level: &Level,
        y: f32,
        x: f32,
        length_px: impl Fn(usize) -> f32,
    ) -> Vec<f32> {
        let mut profile = Vec::with_capacity(self.directions.len() * self.radii.len());
        for (t, &(sin, cos)) in self.directions.iter().enumerate() {
            let length = length_px(t);
            profile.extend(self.radii.iter().map(|r| {
                let r = r * length;
                level.at(y + r * sin, x + r * cos)
            }));
        }
        profile
    }

    /// The closed ring of largest summed descent: per ray the index of its radius and the descent there.
    pub fn trace(&self, profile: &[f32]) -> (Vec<usize>, Vec<f32>) {
        let (n_rays, n) = (self.directions.len(), self.radii.len());
        let inner = REACH..n - REACH;
        let descent = |t: usize, k: usize| profile[t * n + k - REACH] - profile[t * n + k + REACH];
        let gain = |t: usize, k: usize| {
            let d = descent(t, k);
            if d > 0.0 { d * self.weights[k] } else { d }
        };
        // Twice around: the middle of the second half no longer knows where the ring was opened.
        let turns = 2 * n_rays;
        let mut total = vec![f32::NEG_INFINITY; n];
        for k in inner.clone() {
            total[k] = gain(0, k);
        }
        let mut from = vec![0isize; turns * n];
        let mut next = total.clone();
        for t in 1..turns {
            for k in inner.clone() {
                let (mut best, mut step) = (total[k], 0);
                for jump in [JUMP, -JUMP] {
                    let other = total[k.wrapping_add_signed(jump)];
                    if other > best {
                        (best, step) = (other, jump);
                    }
                }
                from[t * n + k] = step;
                next[k] = best + gain(t % n_rays, k);
            }
            std::mem::swap(&mut total, &mut next);
        }
        let mut k = inner.start;
        for other in inner {
            if total[other] > total[k] {
                k = other;
            }
        }
        let mut ring = vec![0; n_rays];
        for t in (n_rays / 2..turns).rev() {
            if t < n_rays + n_rays / 2 {
                ring[t % n_rays] = k;
            }
            k = k.wrapping_add_signed(from[t * n + k]);
        }
        let descents = ring
            .iter()
            .enumerate()
            .map(|(t, &k)| descent(t, k))
            .collect();
        (ring, descents)
    }
}

/// Median of each value and its `reach` neighbours on either side of a ring.
pub fn ring_median(values: &[f32], reach: usize) -> Vec<f32> {
    let n = values.len();
    let mut window = vec![0f32; 2 * reach + 1];
    (0..n)
        .map(|i| {
            for (k, w) in window.iter_mut().enumerate() {
                *w = values[(i + n * (reach / n + 1) + k - reach) % n];
            }
            window.sort_by(f32::total_cmp);
            window[reach]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_ring_of_steepest_descent() {
        let polar = Polar::new(16, 20, 0.5, 3.0, 1.5, 0.5);
        // A disc whose radius index changes slowly with the angle.
        let edge = |t: usize| 9 + usize::from(t > 3) + usize::from((6..11).contains(&t));
        let profile: Vec<f32> = (0..16 * 20)
            .map(|i| 1.0 / (1.0 + ((i % 20) as f32 - edge(i / 20) as f32).exp()))
            .collect();
        let (ring, descents) = polar.trace(&profile);
        assert!((0..16).all(|t| ring[t].abs_diff(edge(t)) <= 1), "{ring:?}");
        assert!(descents.iter().all(|&d| d > 0.5));
    }

    #[test]
    fn median_goes_round() {
        assert_eq!(ring_median(&[9.0, 1.0, 2.0, 3.0], 1), [3.0, 2.0, 2.0, 3.0]);
    }
}
