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

    #[inline(always)]
    fn of_point(&self, p: [isize; 3]) -> [isize; 3] {
        std::array::from_fn(|a| self.sign[a] * p[self.from[a]])
    }
}

/// The point in the stored half, as (z, y, x), and whether it is the mirror image of `p` = (x, y, z).
#[inline(always)]
fn stored([x, y, z]: [isize; 3]) -> ([isize; 3], bool) {
    if (z, y, x) < (0, 0, 0) {
        ([-z, -y, -x], true)
    } else {
        ([z, y, x], false)
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
    let side = n as isize + 1;
    let index = |[z, y, x]: [isize; 3]| {
        ((z + 1) as usize * ny + (y + side) as usize) * nx + (x + side) as usize
    };
    // The largest (z, y, x) of an orbit stands for it; where z takes the place of another axis, none of its |y| or |x| is larger.
    let dominates = |axis: usize| operations.iter().any(|o| o.from[2] == axis);
    let (over_x, over_y) = (dominates(0), dominates(1));
    let mut orbit = Vec::with_capacity(operations.len());
    for z in 0..=side {
        let height = extent(n, z);
        let height = if over_y { height.min(z) } else { height };
        for y in if z == 0 { 0 } else { -height }..=height {
            let left = reach(n).powi(2) - (z * z + y * y) as f64;
            let width = (left.max(0.0).sqrt() as isize).min(side);
            let width = if over_x { width.min(z) } else { width };
            'points: for x in if z == 0 && y == 0 { 0 } else { -width }..=width {
                orbit.clear();
                for operation in &operations {
                    let (point, mirrored) = stored(operation.of_point([x, y, z]));
                    if point > [z, y, x] {
                        continue 'points;
                    }
                    orbit.push((index(point), mirrored));
                }
                let own = index([z, y, x]);
                let (mut sum, mut dense, mut real) = (C::default(), 0.0, inversion);
                for &(i, mirrored) in &orbit {
                    let value = numerator[i];
                    sum += if mirrored { value.conj() } else { value };
                    dense += density[i];
                    // Where the group makes a point its own mirror image.
                    real |= mirrored && i == own;
                }
                if real {
                    sum.im = 0.0;
                }
                for &(i, mirrored) in &orbit {
                    numerator[i] = if mirrored { sum.conj() } else { sum };
                    density[i] = dense;
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
