//! A pose, and small steps of it.

/// Steps below which the search ends [rad, px, relative]: far below what any image determines.
const SMALL_TURN: f64 = 1e-4;
const SMALL_SHIFT: f64 = 1e-3;

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

/// Turns about the axes of the image [rad], shift [px], growth [relative].
pub(super) struct Step {
    pub(super) turn: [f64; 3],
    pub(super) shift: [f64; 2],
    pub(super) growth: f64,
}

impl Step {
    /// Whether the search may end.
    pub(super) fn is_small(&self) -> bool {
        self.turn.iter().all(|t| t.abs() < SMALL_TURN)
            && self.shift.iter().all(|s| s.abs() < SMALL_SHIFT)
            && self.growth.abs() < SMALL_TURN
    }
}

impl Pose {
    /// exp([turn]×) R, and the rest added.
    pub(super) fn moved(&self, step: &Step) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_about_the_axes_of_the_image() {
        let start = Pose {
            rotation: [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
            shift: [1.0, 2.0],
            scale: 1.0,
        };
        let step = Step {
            turn: [0.0, 0.0, std::f64::consts::FRAC_PI_2],
            shift: [0.5, -0.5],
            growth: 0.1,
        };
        let moved = start.moved(&step);
        // What lay along x of the image lies along y.
        let expected = [[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
        for i in 0..3 {
            for j in 0..3 {
                assert!((moved.rotation[i][j] - expected[i][j]).abs() < 1e-12);
            }
        }
        assert_eq!(moved.shift, [1.5, 1.5]);
        assert!((moved.scale - 0.1f64.exp()).abs() < 1e-12);
        assert!(!step.is_small());
    }
}
