//! Selection of regions by size and position, and their numbering in raster order.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2};

use crate::error::{Error, Result};
use crate::parallel;

/// Pixels renumbered as one piece of work.
const BLOCK_PIXELS: usize = 1 << 18;

/// Pixels that are skipped together where they are background.
const STRETCH: usize = 32;

/// What a selection left and took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Regions left.
    pub n: usize,
    /// Regions below the minimum area that were not at the border, or not removed for it.
    pub n_small: usize,
    /// Regions removed because they touch the border.
    pub n_border: usize,
}

#[derive(Clone, Default)]
struct Region {
    area: usize,
    at_border: bool,
}

/// Removes regions (labels 1 … `n` of `labels`, in place) that touch the image's border, if `clear_border`, and those with
/// fewer than `min_area_px` pixels; numbers the others in raster order of first pixels.
pub fn select(
    mut labels: ArrayViewMut2<'_, i32>,
    n: usize,
    min_area_px: usize,
    clear_border: bool,
    threads: usize,
) -> Result<Selected> {
    let (regions, order) = survey(labels.view(), n)?;
    let mut numbers = vec![0; n + 1];
    let mut selected = Selected {
        n: 0,
        n_small: 0,
        n_border: 0,
    };
    for label in order {
        let region = &regions[label];
        if clear_border && region.at_border {
            selected.n_border += 1;
        } else if region.area < min_area_px {
            selected.n_small += 1;
        } else {
            selected.n += 1;
            numbers[label] = selected.n as i32;
        }
    }
    if numbers
        .iter()
        .enumerate()
        .any(|(label, &number)| label as i32 != number)
    {
        let slice = labels
            .as_slice_mut()
            .ok_or_else(|| Error::invalid("labels", "a C-contiguous array", "a strided one"))?;
        parallel::for_each_block(threads, slice, BLOCK_PIXELS, |_, block| {
            for stretch in block.chunks_mut(STRETCH) {
                // Most of a frame is background.
                if stretch.iter().fold(0, |any, &label| any | label) != 0 {
                    stretch
                        .iter_mut()
                        .for_each(|label| *label = numbers[*label as usize]);
                }
            }
        });
    }
    Ok(selected)
}

/// Area and position of each label, and the labels in raster order of first pixels.
fn survey(labels: ArrayView2<'_, i32>, n: usize) -> Result<(Vec<Region>, Vec<usize>)> {
    let (height, width) = labels.dim();
    let mut regions = vec![Region::default(); n + 1];
    let mut order = Vec::with_capacity(n);
    let mut unknown = None;
    for (y, row) in labels.outer_iter().enumerate() {
        for_each_run(row, |label, run| {
            let Some(region) = regions.get_mut(label as usize) else {
                unknown = Some(label);
                return;
            };
            if region.area == 0 {
                order.push(label as usize);
            }
            region.area += run.len();
            region.at_border |= y == 0 || y + 1 == height || run.start == 0 || run.end == width;
        });
    }
    match unknown {
        Some(label) => Err(Error::invalid("labels", "labels up to their number", label)),
        None => Ok((regions, order)),
    }
}

/// Calls `f(label, columns)` for every run of one positive label in `row`.
pub(crate) fn for_each_run(row: ArrayView1<'_, i32>, mut f: impl FnMut(i32, Range<usize>)) {
    let copy;
    let row = match row.to_slice() {
        Some(row) => row,
        None => {
            copy = row.to_vec();
            &copy
        }
    };
    let mut x = 0;
    while x < row.len() {
        // Most of a frame is background: whole stretches of it are passed at once.
        if let Some(stretch) = row.get(x..x + STRETCH)
            && stretch.iter().fold(0, |any, &label| any | label) == 0
        {
            x += STRETCH;
            continue;
        }
        let stop = (x + STRETCH).min(row.len());
        while x < stop {
            let label = row[x];
            let length = row[x..].iter().take_while(|&&next| next == label).count();
            if label > 0 {
                f(label, x..x + length);
            }
            x += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn removes_and_renumbers() {
        let mut labels = array![
            [0, 0, 0, 0, 0, 4],
            [0, 3, 3, 0, 0, 0],
            [0, 0, 0, 0, 1, 0],
            [0, 2, 2, 0, 0, 0],
            [0, 0, 0, 0, 0, 0]
        ];
        let selected = select(labels.view_mut(), 4, 2, true, 1).unwrap();
        assert_eq!(
            selected,
            Selected {
                n: 2,
                n_small: 1,
                n_border: 1
            }
        );
        assert_eq!(labels.row(1).to_vec(), [0, 1, 1, 0, 0, 0]);
        assert_eq!(labels.row(3).to_vec(), [0, 2, 2, 0, 0, 0]);
        assert_eq!(labels.sum(), 6);
    }
}
