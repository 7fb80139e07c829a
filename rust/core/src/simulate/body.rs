//! Particle bodies in their own frame and the length of a straight line inside them.
//!
//! Bodies have half size 1: the caller's matrix carries size, stretch and rotation. A line is `origin + t · direction` with a
//! direction of any length, so lengths in `t` are lengths along the beam in the caller's unit.

use super::polyhedra::{AXES, Interval, NOTHING, decahedron, icosahedron, length, planes, slab};
use super::quick_power::quick_power;
use super::vector::{Vector, at, dot};
use crate::error::{Error, Result};

/// A particle body of half size 1 about the origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body {
    /// Ball of radius 1.
    Sphere,
    /// Superquadric |x|ⁿ + |y|ⁿ + |z|ⁿ ≤ 1: edge 2, sharper with a larger exponent.
    Cube {
        /// n, at least 2.
        exponent: f64,
    },
    /// Rhombic dodecahedron with four-fold tips at distance 1 whose face centres are pulled in.
    Star {
        /// Fraction by which a face centre lies deeper than in the plain dodecahedron, in [0, 1).
        etching: f64,
    },
    /// |x| + |y| + |z| ≤ 1.
    Octahedron,
    /// {100} faces at distance 1, {111} faces at √3/2: all edges equal.
    TruncatedOctahedron,
    /// Five tetrahedra about the axis z, strained to close: a pentagonal bipyramid with its equator's corners at distance 1, one
    /// of them on x, and its tips at 1/√3.
    Decahedron,
    /// Twenty triangular faces, corners at distance 1: (0, ±1, ±φ) and cyclic, scaled, with the golden ratio φ.
    Icosahedron,
    /// Cylinder of radius 1 along z with half-ball caps.
    Rod {
        /// Whole length over diameter, at least 1.
        aspect: f64,
    },
}

impl Body {
    /// The body of a name; `parameter` is its exponent, etching or aspect.
    pub fn new(shape: &str, parameter: f64) -> Result<Self> {
        let body = match shape {
            "sphere" => Self::Sphere,
            "cube" => Self::Cube {
                exponent: parameter,
            },
            "star" => Self::Star { etching: parameter },
            "octahedron" => Self::Octahedron,
            "truncated_octahedron" => Self::TruncatedOctahedron,
            "decahedron" => Self::Decahedron,
            "icosahedron" => Self::Icosahedron,
            "rod" => Self::Rod { aspect: parameter },
            _ => {
                return Err(Error::invalid(
                    "shape",
                    "sphere, cube, star, octahedron, truncated_octahedron, decahedron, icosahedron or rod",
                    shape,
                ));
            }
        };
        let fits = match body {
            Self::Cube { exponent } => exponent >= 2.0 && exponent.is_finite(),
            Self::Star { etching } => (0.0..1.0).contains(&etching),
            Self::Rod { aspect } => aspect >= 1.0 && aspect.is_finite(),
            _ => true,
        };
        if fits {
            Ok(body)
        } else {
            Err(Error::invalid(
                "shape_parameter",
                "exponent >= 2 (cube), etching in [0, 1) (star) or aspect >= 1 (rod)",
                parameter,
            ))
        }
    }

    /// Radius of the ball about the origin that holds the body.
    pub fn radius(self) -> f64 {
        match self {
            Self::Sphere
            | Self::Star { .. }
            | Self::Octahedron
            | Self::Decahedron
            | Self::Icosahedron => 1.0,
            Self::Cube { exponent } => 3f64.powf(0.5 - 1.0 / exponent),
            Self::TruncatedOctahedron => 1.25f64.sqrt(),
            Self::Rod { aspect } => aspect,
        }
    }

    /// Length in `t` of the line inside the body.
    pub fn chord(self, origin: Vector, direction: Vector) -> f64 {
        self.chord_with(origin, direction, f64::powf, 0.0)
    }

    /// The same to some hundred-thousandths of the half size, and quicker.
    pub fn quick_chord(self, origin: Vector, direction: Vector) -> f64 {
        self.chord_with(origin, direction, quick_power, 3e-3)
    }

    fn chord_with(
        self,
        origin: Vector,
        direction: Vector,
        power: impl Fn(f64, f64) -> f64,
        last_step: f64,
    ) -> f64 {
        match self {
            Self::Sphere => length(ball(origin, direction, 0.0)),
            Self::Cube { exponent } => superquadric(origin, direction, exponent, power, last_step),
            Self::Star { etching } => star(origin, direction, etching),
            Self::Octahedron => length(planes(origin, direction, &[], 1.0)),
            Self::TruncatedOctahedron => length(planes(origin, direction, &AXES, 1.5)),
            Self::Decahedron => decahedron(origin, direction),
            Self::Icosahedron => icosahedron(origin, direction),
            Self::Rod { aspect } => rod(origin, direction, aspect - 1.0),
        }
    }
}

/// Mirror planes of the cube group: between two of them every folded coordinate is linear.
const MIRRORS: [Vector; 9] = [
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
    [1.0, 1.0, 0.0],
    [1.0, -1.0, 0.0],
    [0.0, 1.0, 1.0],
    [0.0, 1.0, -1.0],
    [1.0, 0.0, 1.0],
    [1.0, 0.0, -1.0],
];

/// Newton steps from outside towards the surface of a superquadric; a dozen do for any exponent up to 50.
const NEWTON_STEPS: usize = 40;

/// Where the line is inside the unit ball about (0, 0, `z`).
fn ball(origin: Vector, direction: Vector, z: f64) -> Interval {
    let origin = [origin[0], origin[1], origin[2] - z];
    let (a, b, c) = (
        dot(direction, direction),
        dot(origin, direction),
        dot(origin, origin) - 1.0,
    );
    roots(a, b, c)
}

/// The interval where a t² + 2 b t + c ≤ 0.
fn roots(a: f64, b: f64, c: f64) -> Interval {
    let discriminant = b * b - a * c;
    if discriminant <= 0.0 {
        return NOTHING;
    }
    let root = discriminant.sqrt();
    ((-b - root) / a, (-b + root) / a)
}

/// Both ends of the chord by Newton from the enclosing cube: the implicit function is convex along the line, so the steps
/// approach a crossing from outside without passing it.
fn superquadric(
    origin: Vector,
    direction: Vector,
    exponent: f64,
    power: impl Fn(f64, f64) -> f64,
    last_step: f64,
) -> f64 {
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let (enter, leave) = AXES
        .iter()
        .fold(everything, |i, &n| slab(i, origin, direction, n, 1.0));
    if enter >= leave {
        return 0.0;
    }
    let end = |mut t: f64, inwards: f64| -> Option<f64> {
        for _ in 0..NEWTON_STEPS {
            let p = at(origin, direction, t);
            let (mut value, mut slope) = (-1.0, 0.0);
            for i in 0..3 {
                let power = power(p[i].abs(), exponent - 1.0);
                value += power * p[i].abs();
                slope += exponent * power * p[i].signum() * direction[i];
            }
            if value <= 1e-9 {
                return Some(t);
            }
            if slope * inwards >= 0.0 {
                return None;
            }
            t -= value / slope;
            // A step from a value leaves half its square.
            if value <= last_step {
                return Some(t);
            }
        }
        None
    };
    match (end(enter, 1.0), end(leave, -1.0)) {
        (Some(a), Some(b)) => (b - a).max(0.0),
        _ => 0.0,
    }
}

/// Sum over the pieces between mirror planes: there the surface is one plane of the folded coordinates.
fn star(origin: Vector, direction: Vector, etching: f64) -> f64 {
    let (enter, leave) = ball(origin, direction, 0.0);
    if enter >= leave {
        return 0.0;
    }
    let mut cuts = [leave; MIRRORS.len() + 1];
    for (cut, &mirror) in cuts.iter_mut().zip(&MIRRORS) {
        let slope = dot(mirror, direction);
        if slope.abs() > 1e-12 {
            *cut = (-dot(mirror, origin) / slope).clamp(enter, leave);
        }
    }
    cuts.sort_unstable_by(f64::total_cmp);
    // The plane through the tip (1, 0, 0), the corner (½, ½, ½) and the pulled-in face centre (1 − etching)(½, ½, 0).
    let inverse = 1.0 / (1.0 - etching);
    let plane = [1.0, 2.0 * inverse - 1.0, 2.0 - 2.0 * inverse];
    let gauge = |t: f64| {
        let mut p = at(origin, direction, t).map(f64::abs);
        p.sort_unstable_by(|a, b| b.total_cmp(a));
        dot(plane, p)
    };
    let (mut inside, mut from, mut before) = (0.0, enter, gauge(enter));
    for to in cuts {
        if to > from {
            let after = gauge(to);
            inside += (to - from) * below_one(before, after);
            (from, before) = (to, after);
        }
    }
    inside
}

/// Fraction of a straight segment from `a` to `b` that is at most 1.
fn below_one(a: f64, b: f64) -> f64 {
    match (a <= 1.0, b <= 1.0) {
        (true, true) => 1.0,
        (false, false) => 0.0,
        (true, false) => (1.0 - a) / (b - a),
        (false, true) => (1.0 - b) / (a - b),
    }
}

/// A spherocylinder is convex: the line is inside from the first to the last part it meets.
fn rod(origin: Vector, direction: Vector, half_length: f64) -> f64 {
    let a = direction[0] * direction[0] + direction[1] * direction[1];
    let c = origin[0] * origin[0] + origin[1] * origin[1] - 1.0;
    let side = if a < 1e-24 {
        if c < 0.0 {
            (f64::NEG_INFINITY, f64::INFINITY)
        } else {
            NOTHING
        }
    } else {
        roots(a, origin[0] * direction[0] + origin[1] * direction[1], c)
    };
    let cylinder = slab(side, origin, direction, AXES[2], half_length);
    let parts = [
        cylinder,
        ball(origin, direction, half_length),
        ball(origin, direction, -half_length),
    ];
    length(
        parts
            .into_iter()
            .filter(|(enter, leave)| enter < leave)
            .fold(NOTHING, |i, part| (i.0.min(part.0), i.1.max(part.1))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn central(shape: &str, parameter: f64, direction: Vector) -> f64 {
        let norm = dot(direction, direction).sqrt();
        let body = Body::new(shape, parameter).unwrap();
        body.chord([0.0; 3], direction.map(|v| v / norm))
    }

    #[test]
    fn central_chords_are_the_diameters() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        close(central("sphere", 0.0, [1.0, 2.0, 3.0]), 2.0);
        close(central("cube", 12.0, [0.0, 0.0, 1.0]), 2.0);
        close(
            central("cube", 12.0, [1.0, 1.0, 1.0]),
            2.0 * 3f64.powf(0.5 - 1.0 / 12.0),
        );
        close(central("star", 0.25, [0.0, 1.0, 0.0]), 2.0);
        close(central("star", 0.25, [1.0, -1.0, 0.0]), 0.75 * 2f64.sqrt());
        close(central("star", 0.25, [1.0, 1.0, 1.0]), 3f64.sqrt());
        close(
            central("octahedron", 0.0, [1.0, 1.0, 1.0]),
            2.0 / 3f64.sqrt(),
        );
        close(central("truncated_octahedron", 0.0, [1.0, 0.0, 0.0]), 2.0);
        close(
            central("truncated_octahedron", 0.0, [1.0, 1.0, 1.0]),
            3f64.sqrt(),
        );
        close(
            central("decahedron", 0.0, [0.0, 0.0, 1.0]),
            2.0 / 3f64.sqrt(),
        );
        close(
            central("decahedron", 0.0, [1.0, 0.0, 0.0]),
            1.0 + (std::f64::consts::PI / 5.0).cos(),
        );
        let golden = (1.0 + 5f64.sqrt()) / 2.0;
        close(central("icosahedron", 0.0, [0.0, 1.0, golden]), 2.0);
        close(
            central("icosahedron", 0.0, [1.0, 1.0, 1.0]),
            2.0 * 0.794_654_472_3,
        );
        close(central("rod", 3.0, [0.0, 0.0, 1.0]), 6.0);
        close(central("rod", 3.0, [1.0, 0.0, 0.0]), 2.0);
    }

    #[test]
    fn quick_chords() {
        for k in 1..200 {
            for exponent in [2.0, 7.3, 50.0] {
                let body = Body::new("cube", exponent).unwrap();
                let line = ([0.01 * f64::from(k), 0.3, -2.0], [0.1, -0.2, 1.0]);
                let (a, b) = (body.chord(line.0, line.1), body.quick_chord(line.0, line.1));
                // Where a line grazes the surface both ends run along it.
                assert!((a - b).abs() < 5e-5 / (a * a).min(1.0), "{a} {b}");
            }
        }
    }

    #[test]
    fn a_line_that_misses_has_no_length() {
        for (shape, parameter) in [
            ("sphere", 0.0),
            ("cube", 8.0),
            ("star", 0.3),
            ("octahedron", 0.0),
            ("decahedron", 0.0),
            ("icosahedron", 0.0),
            ("rod", 2.0),
        ] {
            let body = Body::new(shape, parameter).unwrap();
            assert_eq!(body.chord([1.2, 1.2, 0.0], [0.0, 0.0, 1.0]), 0.0);
        }
    }

    #[test]
    fn refuses_unknown_shapes_and_parameters() {
        assert!(Body::new("heart", 0.0).is_err());
        assert!(Body::new("star", 1.0).is_err());
        assert!(Body::new("rod", 0.5).is_err());
        assert!(Body::new("cube", f64::NAN).is_err());
    }
}
