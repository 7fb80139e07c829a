//! How well a region covers itself after a turn about its centroid.

use std::f64::consts::TAU;

use crate::measure::bits::BitGrid;
use crate::measure::moments::Moments;
use crate::measure::regions::Region;

/// Turns that are tried: by 360/n degrees.
pub(crate) const FOLDS: [u32; 4] = [2, 3, 4, 6];

/// Half a pixel to round by truncation; the excess settles exact ties the same way whatever rounding made of them.
const HALF: f64 = 0.5 + 1e-9;

/// Share of the region's pixels that land on the region, for each of `FOLDS`; `mask` is padded by `pad`.
pub(crate) fn symmetry(
    region: &Region<'_>,
    moments: &Moments,
    mask: &BitGrid,
    pad: usize,
    sampling: (f64, f64),
) -> [f64; 4] {
    let (sy, sx) = sampling;
    FOLDS.map(|n| {
        let (sin, cos) = (TAU / f64::from(n)).sin_cos();
        // In pixels: y' = cos y + sin (sx / sy) x, x' = cos x - sin (sy / sx) y.
        let (y_from_x, x_from_y) = (sin * sx / sy, -sin * sy / sx);
        let mut hits = 0u64;
        let y_mask = moments.y - region.y0 as f64 + pad as f64 + HALF;
        let x_mask = moments.x - region.x0 as f64 + pad as f64 + HALF;
        for run in region.runs {
            let dy = f64::from(run.y) - moments.y;
            let (y_row, x_row) = (y_mask + cos * dy, x_mask + x_from_y * dy);
            for x in run.x0..run.x1 {
                let dx = f64::from(x) - moments.x;
                let (y, x) = (y_row + y_from_x * dx, x_row + cos * dx);
                // The padding is wider than half a pixel: what truncation moves to row 0 is empty.
                hits += u64::from(mask.get(y as isize, x as isize));
            }
        }
        hits as f64 / moments.area as f64
    })
}
