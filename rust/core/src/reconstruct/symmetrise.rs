//! Exact symmetry of accumulated grids: rotations that permute the axes move grid points onto grid points.

use rustfft::num_complex::Complex;

use super::padded_transform::{extent, grid_shape, reach};
use crate::error::{Error, Result};

type C = Complex<f32>;

/// Component a of the rotated (x, y, z) is `sign[a]` times component `from[a]`.
#[derive(Clone, Copy)]
struct Permutation {
    from: [usize; 3],
    sign: [isize; 3],
}

impl Permutation {
    fn of(matrix: [[i8; 3]; 3]) -> Result<Self> {
        let (mut from, mut sign) = ([3; 3], [0; 3]);
        for (row, values) in matrix.iter().enumerate() {
            if values.iter().map(|v| v.unsigned_abs()).sum::<u8>() == 1 {
                let column = values.iter().position(|&v| v != 0).unwrap_or(3);
                (from[row], sign[row]) = (column, isize::from(values[column]));
            }
        }
        let mut sorted = from;
        sorted.sort_unstable();
        if sorted != [0, 1, 2] {
            let found = format!("{matrix:?}");
            return Err(Error::invalid(
                "operations",
                "signed permutations of the axes",
                found,
            ));
        }
        Ok(Self { from, sign })
    }

    /// What x, y and z of a point add to the index of the rotated point, counted from the origin's.
    fn strides(&self, stride: [isize; 3]) -> [isize; 3] {
        let mut out = [0; 3];
        for a in 0..3 {
            out[self.from[a]] = self.sign[a] * stride[a];
        }
        out
    }
}

/// Bounds of the points that can stand for their orbit: the last of it in the order of the grid.
struct Domain {
    /// Whether some rotation puts x or y in the place of z.
    x_below_z: bool,
    y_below_z: bool,
    /// Of the rotations and mirror images that keep z: whether one puts ±x in the place of y, turns y or turns x.
    x_below_y: bool,
    y_positive: bool,
    x_positive: bool,
}

impl Domain {
    fn of(operations: &[Permutation]) -> Self {
        let upright = |test: &dyn Fn(&Permutation, isize) -> bool| {
            operations
                .iter()
                .any(|o| o.from[2] == 2 && test(o, o.sign[2]))
        };
        let y_is_x = |sign: isize| upright(&|o, up| o.from[1] == 0 && o.sign[1] * up == sign);
        Self {
            x_below_z: operations.iter().any(|o| o.from[2] == 0),
            y_below_z: operations.iter().any(|o| o.from[2] == 1),
            x_below_y: y_is_x(1) && y_is_x(-1),
            y_positive: upright(&|o, up| o.from[1] == 1 && o.sign[1] * up < 0),
            x_positive: upright(&|o, up| {
                o.from[1] == 1 && o.sign[1] * up > 0 && o.sign[0] * up < 0
            }),
        }
    }

    /// Inclusive ranges of y at `z`, of x at (`z`, `y`), inside the ball that is filled.
    fn y(&self, n: usize, z: isize) -> (isize, isize) {
        let reach = extent(n, z);
        let high = if self.y_below_z { reach.min(z) } else { reach };
        let low = if self.y_positive || z == 0 { 0 } else { -high };
        (low, high)
    }

    fn x(&self, n: usize, z: isize, y: isize) -> (isize, isize) {
        let left = reach(n).powi(2) - (z * z + y * y) as f64;
        let mut high = (left.max(0.0).sqrt() as isize).min(n as isize + 1);
        if self.x_below_z {
            high = high.min(z);
        }
        if self.x_below_y {
            high = high.min(y);
        }
        let low = if self.x_positive || (z == 0 && y == 0) {
            0
        } else {
            -high
        };
        (low, high)
    }
}

/// Sums grids over the group `operations`, in place; with `inversion` the numerator becomes real.
///
/// Points that the group carries into each other get one and the same value. One thread: the work is a small part of insertion.
pub fn symmetrise(
    numerator: &mut [C],
    density: &mut [f32],
    n: usize,
    operations: &[[[i8; 3]; 3]],
    inversion: bool,
) -> Result<()> {
    let operations: Vec<_> = operations
        .iter()
        .map(|&matrix| Permutation::of(matrix))
        .collect::<Result<_>>()?;
    let (_, ny, nx) = grid_shape(n);
    let domain = Domain::of(&operations);
    let stride = [1, nx as isize, (ny * nx) as isize];
    let strides: Vec<_> = operations.iter().map(|o| o.strides(stride)).collect();
    // Points count from the origin on; a rotated point before it is the mirror image of one after it.
    let origin = ny * nx + (ny * nx) / 2;
    let (numerator_half, density_half) = (&mut numerator[origin..], &mut density[origin..]);
    let mut orbit = vec![(0, false); operations.len()];
    for z in 0..=n as isize + 1 {
        let (low, high) = domain.y(n, z);
        for y in low..=high {
            let (low, high) = domain.x(n, z, y);
            'points: for x in low..=high {
                let own = x + y * stride[1] + z * stride[2];
                for (place, [sx, sy, sz]) in orbit.iter_mut().zip(&strides) {
                    let rotated = sx * x + sy * y + sz * z;
                    *place = (rotated.unsigned_abs(), rotated < 0);
                    if rotated.abs() > own {
                        continue 'points;
                    }
                }
                let (mut sum, mut dense, mut real) = (C::default(), 0.0, inversion);
                for &(i, mirrored) in &orbit {
                    let value = numerator_half[i];
                    sum += if mirrored { value.conj() } else { value };
                    dense += density_half[i];
                    // Where the group makes a point its own mirror image.
                    real |= mirrored && i == own.unsigned_abs();
                }
                if real {
                    sum.im = 0.0;
                }
                for &(i, mirrored) in &orbit {
                    numerator_half[i] = if mirrored { sum.conj() } else { sum };
                    density_half[i] = dense;
                }
            }
        }
    }
    let plane = ny * nx;
    for i in 0..plane / 2 {
        numerator[plane + i] = numerator[2 * plane - 1 - i].conj();
        density[plane + i] = density[2 * plane - 1 - i];
    }
    Ok(())
}
