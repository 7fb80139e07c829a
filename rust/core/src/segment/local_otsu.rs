//! Otsu's threshold (IEEE Trans. Syst. Man Cybern. 9, 62, 1979) of the window about each pixel, on 256 levels.
//!
//! Every column keeps a histogram of its part of the window; a step to the right adds one and takes one away (Perreault &
//! Hébert, IEEE Trans. Image Process. 16, 2389, 2007).

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result};
use crate::parallel;

/// Least number of rows worked on together.
const BAND_ROWS: usize = 64;

/// Grey levels.
const LEVELS: usize = 256;

/// Largest window: a column's counts are 16 bit.
const LARGEST: usize = 65_535;

/// Wanted pixels (not 0) whose level is above Otsu's threshold of the `size_px` × `size_px` window about them, cut off at the border of the
/// image; a window of a single level has nothing above. The threshold is found for wanted pixels only.
pub fn local_otsu(
    levels: ArrayView2<'_, u8>,
    wanted: ArrayView2<'_, u8>,
    size_px: usize,
    threads: usize,
) -> Result<Array2<bool>> {
    if size_px % 2 == 0 || size_px > LARGEST {
        let expected = "an odd integer <= 65535";
        return Err(Error::invalid("local_size_px", expected, size_px));
    }
    if wanted.dim() != levels.dim() {
        return Err(Error::ShapeMismatch {
            argument: "wanted",
            expected: levels.shape().to_vec(),
            found: wanted.shape().to_vec(),
        });
    }
    let (height, width) = levels.dim();
    let mut out = Array2::from_elem((height, width), false);
    if levels.is_empty() {
        return Ok(out);
    }
    let half = size_px / 2;
    let rows = BAND_ROWS.max(2 * size_px);
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, rows * width, |i, block| {
        let y0 = i * rows;
        let mut columns = vec![[0u16; LEVELS]; width];
        for y in y0.saturating_sub(half)..(y0 + half).min(height) {
            for (column, &level) in columns.iter_mut().zip(levels.row(y)) {
                column[usize::from(level)] += 1;
            }
        }
        for (y, mask) in (y0..).zip(block.chunks_exact_mut(width)) {
            if y + half < height {
                for (column, &level) in columns.iter_mut().zip(levels.row(y + half)) {
                    column[usize::from(level)] += 1;
                }
            }
            if y > y0 && y > half {
                for (column, &level) in columns.iter_mut().zip(levels.row(y - half - 1)) {
                    column[usize::from(level)] -= 1;
                }
            }
            let mut window = [0u32; LEVELS];
            for column in &columns[..half.min(width)] {
                add(&mut window, column);
            }
            for (x, above) in mask.iter_mut().enumerate() {
                if let Some(column) = columns.get(x + half) {
                    add(&mut window, column);
                }
                if x > half {
                    subtract(&mut window, &columns[x - half - 1]);
                }
                if wanted[[y, x]] != 0 {
                    *above = otsu(&window).is_some_and(|t| usize::from(levels[[y, x]]) > t);
                }
            }
        }
    });
    Ok(out)
}

#[multiversion(targets("x86_64+avx2"))]
fn add(window: &mut [u32; LEVELS], column: &[u16; LEVELS]) {
    for (w, &c) in window.iter_mut().zip(column) {
        *w += u32::from(c);
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn subtract(window: &mut [u32; LEVELS], column: &[u16; LEVELS]) {
    for (w, &c) in window.iter_mut().zip(column) {
        *w -= u32::from(c);
    }
}

/// Lowest level with the largest variance between the classes up to and above it; None for a single level.
fn otsu(counts: &[u32; LEVELS]) -> Option<usize> {
    let filled = |&level: &usize| counts[level] > 0;
    let first = (0..LEVELS).find(filled)?;
    let last = (0..LEVELS).rev().find(filled)?;
    let moment = |level: usize| f64::from(counts[level]) * level as f64;
    let n: f64 = counts.iter().map(|&c| f64::from(c)).sum();
    let mean = (first..=last).map(moment).sum::<f64>() / n;
    let (mut below, mut sum) = (0.0, 0.0);
    let (mut best, mut largest) = (None, 0.0);
    for level in first..last {
        if counts[level] == 0 {
            continue;
        }
        below += f64::from(counts[level]);
        sum += moment(level);
        let difference = mean * below - sum;
        let between = difference * difference / (below * (n - below));
        if between > largest {
            (best, largest) = (Some(level), between);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_two_levels() {
        let mut counts = [0u32; LEVELS];
        assert_eq!(otsu(&counts), None);
        counts[40] = 9;
        assert_eq!(otsu(&counts), None);
        counts[90] = 3;
        assert_eq!(otsu(&counts), Some(40));
    }

    #[test]
    fn windows_are_counted_from_scratch_alike() {
        let levels = Array2::from_shape_fn((90, 61), |(y, x)| (y * 61 + x).wrapping_mul(97) as u8);
        let wanted = Array2::from_elem(levels.dim(), 1);
        for size in [1usize, 3, 9, 41, 201] {
            let mask = local_otsu(levels.view(), wanted.view(), size, 2).unwrap();
            let half = size / 2;
            for ((y, x), &above) in mask.indexed_iter() {
                let mut counts = [0u32; LEVELS];
                for v in y.saturating_sub(half)..(y + half + 1).min(90) {
                    for u in x.saturating_sub(half)..(x + half + 1).min(61) {
                        counts[usize::from(levels[[v, u]])] += 1;
                    }
                }
                let expected = otsu(&counts).is_some_and(|t| usize::from(levels[[y, x]]) > t);
                assert_eq!(above, expected, "{size} {y} {x}");
            }
        }
    }
}
