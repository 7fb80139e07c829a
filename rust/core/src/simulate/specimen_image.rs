//! The image of a specimen along a scan: film and particles, each evaluated where a pixel truly lies.

use ndarray::{Array2, ArrayView2};

use super::film::Film;
use super::scan::{Place, Scan};
use crate::error::{Error, Result};
use crate::parallel;

/// Lines computed as one piece of work.
const BLOCK_ROWS: usize = 16;

/// What a particle adds, on a square grid about its centre (index N//2) along the specimen's axes.
#[derive(Debug, Clone)]
pub struct Patch<'a> {
    /// Values on the grid.
    pub values: ArrayView2<'a, f32>,
    /// Place of the particle's centre.
    pub centre: Place,
    /// Grid spacing.
    pub spacing: f64,
    /// Factor on the values; for labels, the value above which a pixel belongs to the particle.
    pub level: f64,
}

impl Patch<'_> {
    fn half(&self) -> f64 {
        (self.values.nrows() / 2 + 1) as f64 * self.spacing
    }

    /// Grid coordinates of a place: index before it and the fraction beyond, along y and x.
    fn locate(&self, place: Place) -> ([isize; 2], [f32; 2]) {
        let u = [0, 1]
            .map(|a| (place[a] - self.centre[a]) / self.spacing + (self.values.nrows() / 2) as f64);
        let floor = u.map(f64::floor);
        (
            floor.map(|f| f as isize),
            [(u[0] - floor[0]) as f32, (u[1] - floor[1]) as f32],
        )
    }
}

/// Signal at every pixel: the film's plus, for every patch, `level` times the cubic B-spline whose coefficients the patch holds.
///
/// The coefficients are not interpolated: a B-spline is itself nearly a Gaussian of variance 1/3 spacing², and so a patch is
/// blurred by that much less beforehand.
pub fn specimen_image(
    scan: &Scan,
    film: &Film,
    patches: &[Patch],
    threads: usize,
) -> Result<Array2<f32>> {
    check(patches)?;
    let columns = film.columns(scan);
    lines(scan, threads, 0f32, |i, row| {
        film.line(scan, &columns, i, row);
        for patch in patches {
            for j in scan.columns_near(i, patch.centre, patch.half()) {
                row[j] += spline(patch, place(scan, i, j)) * patch.level as f32;
            }
        }
    })
}

/// Number of the patch, counted from 1, that owns a pixel; 0 where none does. A patch owns the pixels where its value, interpolated
/// linearly, is above its level and above that of every other patch.
pub fn specimen_labels(scan: &Scan, patches: &[Patch], threads: usize) -> Result<Array2<i32>> {
    check(patches)?;
    lines(scan, threads, 0i32, |i, row| {
        let mut largest = vec![0f32; row.len()];
        for (k, patch) in patches.iter().enumerate() {
            for j in scan.columns_near(i, patch.centre, patch.half()) {
                let value = linear(patch, place(scan, i, j));
                if value > patch.level as f32 && value > largest[j] {
                    largest[j] = value;
                    row[j] = k as i32 + 1;
                }
            }
        }
    })
}

fn place(scan: &Scan, i: usize, j: usize) -> Place {
    let (row, column) = (scan.rows()[i], scan.columns()[j]);
    [row[0] + column[0], row[1] + column[1]]
}

fn check(patches: &[Patch]) -> Result<()> {
    for patch in patches {
        let (height, width) = patch.values.dim();
        if height != width {
            return Err(Error::ShapeMismatch {
                argument: "patches",
                expected: vec![height, height],
                found: vec![height, width],
            });
        }
        if !(patch.spacing > 0.0 && patch.spacing.is_finite()) {
            return Err(Error::invalid("spacings", "numbers > 0", patch.spacing));
        }
        if !patch.centre.iter().all(|v| v.is_finite()) {
            return Err(Error::invalid(
                "centres",
                "finite numbers",
                format!("{:?}", patch.centre),
            ));
        }
    }
    Ok(())
}

fn lines<T: Clone + Send>(
    scan: &Scan,
    threads: usize,
    zero: T,
    fill: impl Fn(usize, &mut [T]) + Sync + Send,
) -> Result<Array2<T>> {
    let shape = scan.shape();
    let mut out = Array2::from_elem(shape, zero);
    if !out.is_empty() {
        let slice = out.as_slice_mut().expect("a fresh array is contiguous");
        parallel::for_each_block(threads, slice, BLOCK_ROWS * shape.1, |i_block, block| {
            for (i, row) in block.chunks_mut(shape.1).enumerate() {
                fill(i_block * BLOCK_ROWS + i, row);
            }
        });
    }
    Ok(out)
}

/// Weights of the four coefficients of a cubic B-spline around a fraction.
pub(crate) fn weights(t: f32) -> [f32; 4] {
    let r = 1.0 - t;
    [
        r * r * r / 6.0,
        (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
        (3.0 * r * r * r - 6.0 * r * r + 4.0) / 6.0,
        t * t * t / 6.0,
    ]
}

fn spline(patch: &Patch, place: Place) -> f32 {
    let n = patch.values.nrows() as isize;
    let ([y, x], [ty, tx]) = patch.locate(place);
    if y < 1 || x < 1 || y + 2 >= n || x + 2 >= n {
        return 0.0;
    }
    let (wy, wx) = (weights(ty), weights(tx));
    let mut sum = 0.0;
    for (a, &wy) in wy.iter().enumerate() {
        let mut line = 0.0;
        for (b, &wx) in wx.iter().enumerate() {
            line += wx * patch.values[[y as usize - 1 + a, x as usize - 1 + b]];
        }
        sum += wy * line;
    }
    sum
}

fn linear(patch: &Patch, place: Place) -> f32 {
    let n = patch.values.nrows() as isize;
    let ([y, x], [ty, tx]) = patch.locate(place);
    if y < 0 || x < 0 || y + 1 >= n || x + 1 >= n {
        return 0.0;
    }
    let (y, x) = (y as usize, x as usize);
    let v = &patch.values;
    let top = v[[y, x]] * (1.0 - tx) + v[[y, x + 1]] * tx;
    let bottom = v[[y + 1, x]] * (1.0 - tx) + v[[y + 1, x + 1]] * tx;
    top * (1.0 - ty) + bottom * ty
}
