//! The image in blocks, with what is known of each.

use ndarray::ArrayView2;

use super::{LARGE, TILE};
use crate::parallel;
use crate::pixel::Pixel;

/// The image in float32, filled up with infinity to whole blocks, and bounds of each block from below.
pub(super) struct Pyramid {
    pub(super) pixels: Vec<f32>,
    /// Smallest pixel of each small block.
    pub(super) small: Vec<f32>,
    /// Plane below each small block: height at its middle, slopes along y and x.
    pub(super) planes: Vec<[f32; 3]>,
    /// Smallest pixel of each large block.
    pub(super) large: Vec<f32>,
    /// Columns of `large`.
    pub(super) columns: usize,
    /// Rows of `large`.
    pub(super) rows: usize,
    /// Largest absolute pixel.
    pub(super) magnitude: f32,
}

impl Pyramid {
    pub(super) fn new<T: Pixel>(image: ArrayView2<'_, T>, threads: usize) -> Self {
        let (rows, columns) = (image.nrows().div_ceil(LARGE), image.ncols().div_ceil(LARGE));
        let stride = columns * LARGE;
        let mut pixels = vec![f32::INFINITY; rows * LARGE * stride];
        parallel::for_each_block(threads, &mut pixels, stride, |y, padded| {
            if y < image.nrows() {
                for (p, &v) in padded.iter_mut().zip(image.row(y)) {
                    *p = v.to_f32();
                }
            }
        });
        let small = block_minima(&pixels, stride, TILE, threads);
        let large = block_minima(&small, stride / TILE, LARGE / TILE, threads);
        let mut planes = vec![[0.0; 3]; small.len()];
        parallel::for_each_block(threads, &mut planes, stride / TILE, |i, planes| {
            for (k, plane) in planes.iter_mut().enumerate() {
                let mut block = [[0.0; TILE]; TILE];
                for (j, row) in block.iter_mut().enumerate() {
                    row.copy_from_slice(&pixels[(i * TILE + j) * stride + k * TILE..][..TILE]);
                }
                let [slope_y, slope_x] = slopes(&block);
                let heights = over_plane(&block, slope_y, slope_x);
                let lowest = heights
                    .as_flattened()
                    .iter()
                    .fold(f32::INFINITY, |a, &b| if b < a { b } else { a });
                *plane = [lowest, slope_y, slope_x];
            }
        });
        let finite = |&v: &f32| if v.is_finite() { v.abs() } else { 0.0 };
        let magnitude = pixels.iter().map(finite).fold(0.0, f32::max);
        Self {
            pixels,
            small,
            planes,
            large,
            columns,
            rows,
            magnitude,
        }
    }
}

/// Mean slopes of a block along y and x; 0 where it is not finite.
#[inline(always)]
pub(super) fn slopes(block: &[[f32; TILE]; TILE]) -> [f32; 2] {
    let half = TILE / 2;
    let (mut y, mut x) = (0.0, 0.0);
    for (i, row) in block.iter().enumerate() {
        let (left, right) = row.split_at(half);
        let (left, right) = (left.iter().sum::<f32>(), right.iter().sum::<f32>());
        x += right - left;
        y += if i < half {
            -left - right
        } else {
            left + right
        };
    }
    // The means of the halves are half a block apart.
    let scale = 1.0 / (half * half * TILE) as f32;
    if (x + y).is_finite() {
        [y * scale, x * scale]
    } else {
        [0.0; 2]
    }
}

/// A block less a plane through 0 at its middle.
#[inline(always)]
pub(super) fn over_plane(
    block: &[[f32; TILE]; TILE],
    slope_y: f32,
    slope_x: f32,
) -> [[f32; TILE]; TILE] {
    let middle = 0.5 * (TILE - 1) as f32;
    let mut out = *block;
    for (i, row) in out.iter_mut().enumerate() {
        let above = slope_y * (i as f32 - middle);
        for (j, v) in row.iter_mut().enumerate() {
            *v -= above + slope_x * (j as f32 - middle);
        }
    }
    out
}

/// Minima of the `side` × `side` blocks of an array whose sides are multiples of `side`.
fn block_minima(values: &[f32], stride: usize, side: usize, threads: usize) -> Vec<f32> {
    let columns = stride / side;
    let mut out = vec![f32::INFINITY; values.len() / (side * side)];
    parallel::for_each_block(threads, &mut out, columns, |i, minima| {
        for row in values[i * side * stride..][..side * stride].chunks_exact(stride) {
            for (m, block) in minima.iter_mut().zip(row.chunks_exact(side)) {
                *m = block.iter().fold(*m, |a, &b| if b < a { b } else { a });
            }
        }
    });
    out
}
