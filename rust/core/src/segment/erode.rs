//! Erosion by a diamond: pixels whose L1 distance to the background is above a radius.
//!
//! Vertical distances in both directions, then a one-dimensional cone that doubles its reach in every step; all in bytes
//! where the radius allows it, and in bands of rows that stay in the cache.

use std::borrow::Cow;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::parallel;

/// Rows of a band; with a larger radius bands grow, so that their overlap stays below the band itself.
const BAND_ROWS: usize = 64;

/// `mask` (not 0) eroded by the diamond of `radius_px`, as 0 and 1; what lies outside the image does not erode.
pub fn erode(mask: ArrayView2<'_, u8>, radius_px: usize, threads: usize) -> Array2<u8> {
    let mut out = Array2::zeros(mask.dim());
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    erode_into(mask, radius_px, threads, slice);
    out
}

/// The same, row after row into `out`.
pub fn erode_into(mask: ArrayView2<'_, u8>, radius_px: usize, threads: usize, out: &mut [u8]) {
    if mask.is_empty() {
        return;
    }
    // No two pixels are further apart, so a larger radius changes nothing.
    let radius = radius_px.min(mask.nrows() + mask.ncols());
    if radius <= u8::LARGEST_RADIUS {
        bands::<u8>(mask, radius, out, threads);
    } else {
        bands::<u32>(mask, radius, out, threads);
    }
}

/// A distance in pixels.
trait Count: Copy + Ord + Default + Send + Sync {
    /// Largest radius whose successor, "far", can be increased once more without overflow.
    const LARGEST_RADIUS: usize;
    fn from_usize(n: usize) -> Self;
    fn plus(self, other: Self) -> Self;
}

macro_rules! count {
    ($type:ty) => {
        impl Count for $type {
            const LARGEST_RADIUS: usize = <$type>::MAX as usize - 2;

            #[inline(always)]
            fn from_usize(n: usize) -> Self {
                n as $type
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.saturating_add(other)
            }
        }
    };
}

count!(u8);
count!(u32);

fn bands<C: Count>(mask: ArrayView2<'_, u8>, radius: usize, out: &mut [u8], threads: usize) {
    let (height, width) = mask.dim();
    let rows = BAND_ROWS.max(2 * radius);
    let far = C::from_usize(radius + 1);
    parallel::for_each_block(threads, out, rows * width, |i, block| {
        let y0 = i * rows;
        let y1 = y0 + block.len() / width;
        let mut above = vec![C::default(); block.len()];
        let mut run = vec![far; width];
        for y in y0.saturating_sub(radius)..y1 {
            extend_run(&mut run, &values(mask.row(y)), far);
            if y >= y0 {
                above[(y - y0) * width..][..width].copy_from_slice(&run);
            }
        }
        // The sides of the image are padded with "far".
        let pad = radius;
        let mut cone = vec![far; width + 2 * pad];
        let mut wider = cone.clone();
        run.fill(far);
        for y in (y0..(y1 + radius).min(height)).rev() {
            extend_run(&mut run, &values(mask.row(y)), far);
            if y >= y1 {
                continue;
            }
            let row = &mut block[(y - y0) * width..][..width];
            let nearest = &mut cone[pad..pad + width];
            smaller(nearest, &above[(y - y0) * width..][..width], &run);
            let mut reach = 0;
            while reach < radius {
                let step = (reach + 1).min(radius - reach);
                widen(&cone, &mut wider, pad, width, step);
                std::mem::swap(&mut cone, &mut wider);
                reach += step;
            }
            at_least(row, &cone[pad..pad + width], far);
        }
    });
}

fn values(row: ArrayView1<'_, u8>) -> Cow<'_, [u8]> {
    row.to_slice()
        .map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed)
}

/// Distance to the last background pixel, one row further.
#[multiversion(targets("x86_64+avx2"))]
fn extend_run<C: Count>(run: &mut [C], mask: &[u8], far: C) {
    let one = C::from_usize(1);
    for (r, &m) in run.iter_mut().zip(mask) {
        let longer = r.plus(one).min(far);
        *r = if m != 0 { longer } else { C::default() };
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn smaller<C: Count>(out: &mut [C], a: &[C], b: &[C]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = a.min(b);
    }
}

/// Minimum of the cone and of itself `step` to either side, `step` higher: with a reach r >= step - 1 it now reaches r + step.
#[multiversion(targets("x86_64+avx2"))]
fn widen<C: Count>(cone: &[C], wider: &mut [C], pad: usize, width: usize, step: usize) {
    let rise = C::from_usize(step);
    let left = &cone[pad - step..][..width];
    let right = &cone[pad + step..][..width];
    let here = &cone[pad..][..width];
    let out = &mut wider[pad..][..width];
    for (((o, &h), &l), &r) in out.iter_mut().zip(here).zip(left).zip(right) {
        *o = h.min(l.min(r).plus(rise));
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn at_least<C: Count>(out: &mut [u8], distances: &[C], limit: C) {
    for (o, &d) in out.iter_mut().zip(distances) {
        *o = u8::from(d >= limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hole_leaves_a_diamond() {
        for radius in [0usize, 1, 2, 5, 10, 300] {
            let mut mask = Array2::from_elem((90, 101), 1);
            mask[[40, 50]] = 0;
            let out = erode(mask.view(), radius, 1);
            for ((y, x), &kept) in out.indexed_iter() {
                assert_eq!(kept != 0, y.abs_diff(40) + x.abs_diff(50) > radius);
            }
        }
    }

    #[test]
    fn the_border_does_not_erode() {
        let mask = Array2::from_elem((5, 70), 255);
        assert!(erode(mask.view(), 3, 1).iter().all(|&m| m == 1));
    }
}
