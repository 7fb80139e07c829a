//! The normal equations of a pose's fit, and the step that Levenberg and Marquardt's method makes of them.

use super::pose::Step;

/// Amplitude, three turns, two shifts, size.
pub(super) const UNKNOWNS: usize = 7;

/// Largest turn [rad], shift [px] and relative growth of one step: about where the slopes stop being a guide.
const LARGEST_TURN: f64 = 0.15;
const LARGEST_SHIFT: f64 = 2.0;
const LARGEST_GROWTH: f64 = 0.1;

/// Σ w Re(conj J J') and Σ w Re(conj J D): the fit's normal equations.
#[derive(Clone, Copy, Default)]
pub(super) struct NormalEquations {
    pub(super) normal: [[f64; UNKNOWNS]; UNKNOWNS],
    pub(super) right: [f64; UNKNOWNS],
}

impl NormalEquations {
    /// The damped step; None where the image says nothing.
    pub(super) fn step(&self, damping: f64, fit_scale: bool) -> Option<Step> {
        let m = if fit_scale { UNKNOWNS } else { UNKNOWNS - 1 };
        let Self { normal, right } = self;
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
        // The floor keeps a turn that a round particle does not show from running away.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let mut matrix = [[0.0; UNKNOWNS]; UNKNOWNS];
        let mut vector = [0.0; UNKNOWNS];
        for i in 0..UNKNOWNS {
            for j in 0..UNKNOWNS {
                matrix[i][j] = 1.0 / (1 + i + j) as f64 + if i == j { 1.0 } else { 0.0 };
                vector[i] += if (1..6).contains(&j) {
                    matrix[i][j] * j as f64
                } else {
                    0.0
                };
            }
        }
        let x = solve(&mut matrix, &vector, 1..6).unwrap();
        assert!((1..6).all(|i| (x[i] - i as f64).abs() < 1e-12));
        assert_eq!((x[0], x[6]), (0.0, 0.0));
        assert!(solve(&mut [[0.0; UNKNOWNS]; UNKNOWNS], &vector, 1..6).is_none());
    }
}
