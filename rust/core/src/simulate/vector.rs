//! Points and directions.

/// A point or direction (x, y, z).
pub type Vector = [f64; 3];

/// Scalar product.
pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The point of a line at the parameter `t`.
pub(super) fn at(origin: Vector, direction: Vector, t: f64) -> Vector {
    [0, 1, 2].map(|i| origin[i] + t * direction[i])
}
