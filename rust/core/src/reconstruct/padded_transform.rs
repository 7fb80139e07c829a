//! Fourier transforms between a box of n³ voxels and the half grid of the box padded twofold.
//!
//! The grid has the axes (z, y, x), z ≥ 0, in steps of half a Fourier pixel: index (z + 1, y + n + 1, x + n + 1). Only the
//! Nyquist sphere and the kernel's reach beyond it are filled. Rows that padding or the sphere leave empty are not transformed.

use ndarray::{Array3, ArrayView3, ArrayViewMut3, Axis, s};
use rustfft::num_complex::Complex;

use super::kaiser_bessel::WIDTH;
use crate::{fourier, parallel};

type C = Complex<f32>;

/// Columns gathered at once: two cache lines of complex numbers.
const COLUMNS: usize = 16;

/// Shape (z, y, x) of the grid of a box of `n`.
pub const fn grid_shape(n: usize) -> (usize, usize, usize) {
    (n + 3, 2 * n + 3, 2 * n + 3)
}

/// Grid steps from the origin beyond which no kernel of a sample inside the Nyquist sphere reaches: √3 · 2 more than n.
pub(super) fn reach(n: usize) -> f64 {
    n as f64 + 3f64.sqrt() * (WIDTH / 2) as f64
}

/// Grid steps from `z` along y or x that stay within the reach; at most n + 1.
pub(super) fn extent(n: usize, z: isize) -> isize {
    let left = reach(n).powi(2) - (z * z) as f64;
    (left.max(0.0).sqrt() as isize).min(n as isize + 1)
}

/// Index in a padded row of the pixel `i` of the box, whose origin is at n / 2.
#[inline(always)]
fn padded(n: usize, i: usize) -> usize {
    (i + 2 * n - n / 2) % (2 * n)
}

/// Fills the grid with the transform of `volume`, multiplied by `factors` along each axis; the grid comes zeroed.
pub fn forward(volume: ArrayView3<f32>, factors: &[f32], grid: &mut [C], threads: usize) {
    let n = factors.len();
    let (_, ny, nx) = grid_shape(n);
    let mut half = Array3::<C>::default((n + 1, n, n));
    let slabs: Vec<_> = half.axis_chunks_iter_mut(Axis(1), 1).collect();
    parallel::for_each(threads, slabs, |y, mut slab| {
        along_z(
            volume.slice(s![.., y, ..]).insert_axis(Axis(1)),
            factors,
            factors[y],
            &mut slab,
        );
    });
    let plan = fourier::forward(2 * n);
    let used = ny * nx * (n + 2);
    parallel::for_each_block(threads, &mut grid[ny * nx..used], ny * nx, |z, plane| {
        let source = half.slice(s![z, .., ..]);
        let reach = extent(n, z as isize);
        let mut scratch = vec![C::default(); plan.get_inplace_scratch_len()];
        let mut rows = vec![C::default(); n * 2 * n];
        for (row, values) in rows.chunks_exact_mut(2 * n).zip(source.rows()) {
            for (x, value) in values.iter().enumerate() {
                row[padded(n, x)] = *value;
            }
        }
        plan.process_with_scratch(&mut rows, &mut scratch);
        let mut columns = vec![C::default(); COLUMNS * 2 * n];
        let mut first = -reach;
        while first <= reach {
            let count = (reach - first + 1).min(COLUMNS as isize) as usize;
            columns.fill(C::default());
            for y in 0..n {
                let row = &rows[y * 2 * n..(y + 1) * 2 * n];
                for c in 0..count {
                    let x = (first + c as isize).rem_euclid(2 * n as isize) as usize;
                    columns[c * 2 * n + padded(n, y)] = row[x];
                }
            }
            plan.process_with_scratch(&mut columns[..count * 2 * n], &mut scratch);
            for y in -reach..=reach {
                let source = y.rem_euclid(2 * n as isize) as usize;
                let start = (y + n as isize + 1) as usize * nx + (first + n as isize + 1) as usize;
                for (c, value) in plane[start..start + count].iter_mut().enumerate() {
                    *value = columns[c * 2 * n + source];
                }
            }
            first += count as isize;
        }
    });
    // The margins along z are the other half: F(k) = conj F(−k).
    for (margin, source) in [(0, 2), (n + 2, n)] {
        let opposite: Vec<C> = grid[source * ny * nx..(source + 1) * ny * nx].to_vec();
        let plane = &mut grid[margin * ny * nx..(margin + 1) * ny * nx];
        for (value, mate) in plane.iter_mut().zip(opposite.iter().rev()) {
            *value = mate.conj();
        }
    }
}

/// The columns along z of one y: real, padded, transformed.
fn along_z(volume: ArrayView3<f32>, factors: &[f32], factor: f32, out: &mut ArrayViewMut3<C>) {
    let n = factors.len();
    let plan = fourier::real_forward(2 * n);
    let mut scratch = plan.make_scratch_vec();
    let mut input = vec![0.0; COLUMNS * 2 * n];
    let mut work = vec![0.0; 2 * n];
    let mut output = vec![C::default(); COLUMNS * (n + 1)];
    for first in (0..n).step_by(COLUMNS) {
        let count = COLUMNS.min(n - first);
        for z in 0..n {
            let at = padded(n, z);
            let along = factors[z] * factor;
            for c in 0..count {
                input[c * 2 * n + at] = volume[[z, 0, first + c]] * along * factors[first + c];
            }
        }
        for c in 0..count {
            work.copy_from_slice(&input[c * 2 * n..(c + 1) * 2 * n]);
            let transform = &mut output[c * (n + 1)..(c + 1) * (n + 1)];
            plan.process_with_scratch(&mut work, transform, &mut scratch)
                .expect("buffers of the plan's lengths");
        }
        for z in 0..=n {
            for c in 0..count {
                out[[z, 0, first + c]] = output[c * (n + 1) + z];
            }
        }
    }
}

/// The volume whose transform `plane(z, values)` writes for every z = 0 … n, multiplied by `factors` along each axis.
///
/// `values` has the axes (y, x), each wrapped to 2n, and comes zeroed; the plane z = 0 must be the transform of something real.
pub fn inverse(
    plane: impl Fn(usize, &mut [C]) + Sync + Send,
    factors: &[f32],
    threads: usize,
) -> Array3<f32> {
    let n = factors.len();
    let plan = fourier::inverse(2 * n);
    let mut half = Array3::<C>::default((n + 1, n, n));
    let half_planes: Vec<_> = half.axis_iter_mut(Axis(0)).collect();
    parallel::for_each(threads, half_planes, |z, mut out| {
        let reach = extent(n, z as isize).min(n as isize);
        let mut scratch = vec![C::default(); plan.get_inplace_scratch_len()];
        let mut values = vec![C::default(); 4 * n * n];
        plane(z, &mut values);
        for y in -reach..=reach.min(n as isize - 1) {
            let start = y.rem_euclid(2 * n as isize) as usize * 2 * n;
            plan.process_with_scratch(&mut values[start..start + 2 * n], &mut scratch);
        }
        let mut columns = vec![C::default(); COLUMNS * 2 * n];
        for first in (0..n).step_by(COLUMNS) {
            let count = COLUMNS.min(n - first);
            for y in 0..2 * n {
                for c in 0..count {
                    columns[c * 2 * n + y] = values[y * 2 * n + padded(n, first + c)];
                }
            }
            plan.process_with_scratch(&mut columns[..count * 2 * n], &mut scratch);
            for y in 0..n {
                let at = padded(n, y);
                for c in 0..count {
                    out[[y, first + c]] = columns[c * 2 * n + at];
                }
            }
        }
    });
    let plan = fourier::real_inverse(2 * n);
    let mut volume = Array3::<f32>::zeros((n, n, n));
    let slabs: Vec<_> = volume.axis_chunks_iter_mut(Axis(1), 1).collect();
    parallel::for_each(threads, slabs, |y, mut out| {
        let mut scratch = plan.make_scratch_vec();
        let mut input = vec![C::default(); COLUMNS * (n + 1)];
        let mut output = vec![0.0; COLUMNS * 2 * n];
        for first in (0..n).step_by(COLUMNS) {
            let count = COLUMNS.min(n - first);
            for z in 0..=n {
                for c in 0..count {
                    input[c * (n + 1) + z] = half[[z, y, first + c]];
                }
            }
            for c in 0..count {
                let column = &mut input[c * (n + 1)..(c + 1) * (n + 1)];
                column[0].im = 0.0;
                column[n].im = 0.0;
                let out = &mut output[c * 2 * n..(c + 1) * 2 * n];
                plan.process_with_scratch(column, out, &mut scratch)
                    .expect("buffers of the plan's lengths");
            }
            for z in 0..n {
                let at = padded(n, z);
                let along = factors[z] * factors[y];
                for c in 0..count {
                    out[[z, 0, first + c]] = output[c * 2 * n + at] * along * factors[first + c];
                }
            }
        }
    });
    volume
}
