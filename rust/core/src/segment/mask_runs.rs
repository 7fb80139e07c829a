//! Runs of a mask's pixels.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::components::find_runs;

/// Pixels of the mask that follow each other in a row.
pub(crate) struct Run {
    /// Row.
    pub(crate) y: usize,
    /// Their places in the image in raster order.
    pub(crate) pixels: Range<usize>,
}

impl Run {
    /// Their columns.
    pub(crate) fn columns(&self, width: usize) -> Range<usize> {
        self.pixels.start - self.y * width..self.pixels.end - self.y * width
    }
}

/// Runs of the mask (whole rows without one), in raster order.
pub(crate) fn runs_inside(
    mask: Option<ArrayView2<'_, u8>>,
    height: usize,
    width: usize,
) -> Vec<Run> {
    let Some(mask) = mask else {
        let rows = (0..height).map(|y| Run {
            y,
            pixels: y * width..(y + 1) * width,
        });
        return rows.collect();
    };
    let (mut runs, mut edges) = (Vec::new(), Vec::new());
    for (y, row) in mask.outer_iter().enumerate() {
        edges.clear();
        match row.to_slice() {
            Some(row) => find_runs(row, &mut edges),
            None => find_runs(&row.to_vec(), &mut edges),
        }
        let edges = edges.chunks_exact(2);
        runs.extend(edges.map(|run| Run {
            y,
            pixels: y * width + run[0] as usize..y * width + run[1] as usize,
        }));
    }
    runs
}
