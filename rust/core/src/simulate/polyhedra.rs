//! Where a straight line is inside a body with flat faces.

use super::vector::{Vector, dot};

/// Normals of the three pairs of cube faces.
pub(super) const AXES: [Vector; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Normals of the four pairs of octahedron faces.
pub(super) const DIAGONALS: [Vector; 4] = [
    [1.0, 1.0, 1.0],
    [-1.0, 1.0, 1.0],
    [1.0, -1.0, 1.0],
    [1.0, 1.0, -1.0],
];

pub(super) type Interval = (f64, f64);

pub(super) const NOTHING: Interval = (f64::INFINITY, f64::NEG_INFINITY);

pub(super) fn length((enter, leave): Interval) -> f64 {
    (leave - enter).max(0.0)
}

/// Narrows an interval to |normal · p| ≤ `limit`.
pub(super) fn slab(
    (enter, leave): Interval,
    origin: Vector,
    direction: Vector,
    normal: Vector,
    limit: f64,
) -> Interval {
    let (start, slope) = (dot(normal, origin), dot(normal, direction));
    if slope.abs() < 1e-12 {
        return if start.abs() <= limit {
            (enter, leave)
        } else {
            NOTHING
        };
    }
    let (a, b) = ((-limit - start) / slope, (limit - start) / slope);
    (enter.max(a.min(b)), leave.min(a.max(b)))
}

/// Where |x| + |y| + |z| ≤ `limit` and the line is between the faces of distance 1 with `normals`.
pub(super) fn planes(
    origin: Vector,
    direction: Vector,
    normals: &[Vector],
    limit: f64,
) -> Interval {
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let octahedron = DIAGONALS
        .iter()
        .fold(everything, |i, &n| slab(i, origin, direction, n, limit));
    normals
        .iter()
        .fold(octahedron, |i, &n| slab(i, origin, direction, n, 1.0))
}

/// Narrows an interval to normal · p ≤ `limit`.
fn half_space(
    (enter, leave): Interval,
    origin: Vector,
    direction: Vector,
    normal: Vector,
    limit: f64,
) -> Interval {
    let (start, slope) = (dot(normal, origin), dot(normal, direction));
    if slope.abs() < 1e-12 {
        return if start <= limit {
            (enter, leave)
        } else {
            NOTHING
        };
    }
    let t = (limit - start) / slope;
    if slope > 0.0 {
        (enter, leave.min(t))
    } else {
        (enter.max(t), leave)
    }
}

/// A face above the equator, between two of its corners, and its mirror image below: ρ / cos 36° + √3 |z| ≤ 1 with the distance ρ
/// along the direction between the corners.
pub(super) fn decahedron(origin: Vector, direction: Vector) -> f64 {
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let reach = 1.0 / (std::f64::consts::PI / 5.0).cos();
    let rise = 3f64.sqrt();
    length((0..5).fold(everything, |i, face| {
        let (s, c) = ((f64::from(face) + 0.5) * std::f64::consts::TAU / 5.0).sin_cos();
        let upper = [reach * c, reach * s, rise];
        let lower = [reach * c, reach * s, -rise];
        let i = half_space(i, origin, direction, upper, 1.0);
        half_space(i, origin, direction, lower, 1.0)
    }))
}

/// Faces along the three-fold axes (1, 1, 1) and (1/φ, 0, φ), cyclic, all signs; those of opposite ones are parallel.
pub(super) fn icosahedron(origin: Vector, direction: Vector) -> f64 {
    let golden = (1.0 + 5f64.sqrt()) / 2.0;
    // Distance of the faces times √3, which is the length of the normals below.
    let limit = golden * golden / (golden * golden + 1.0).sqrt();
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let eight = DIAGONALS
        .iter()
        .fold(everything, |i, &n| slab(i, origin, direction, n, limit));
    let (a, b) = (1.0 / golden, golden);
    let twelve = [
        [a, 0.0, b],
        [a, 0.0, -b],
        [b, a, 0.0],
        [b, -a, 0.0],
        [0.0, b, a],
        [0.0, b, -a],
    ];
    length(
        twelve
            .iter()
            .fold(eight, |i, &n| slab(i, origin, direction, n, limit)),
    )
}
