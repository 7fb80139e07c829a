//! Bounding boxes of labels.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::parallel;
use crate::segment::select::for_each_run;

/// Rows whose bounding boxes are collected as one piece of work.
const BLOCK_ROWS: usize = 256;

/// Labels from which on one table serves all rows.
const MANY: usize = 1 << 16;

/// Rows or columns of a label not met yet.
const NOTHING: Range<usize> = Range {
    start: usize::MAX,
    end: 0,
};

/// Rows and columns of a region.
pub(crate) type Bounds = (Range<usize>, Range<usize>);

/// Rows and columns of each label 1 … `n`.
pub(crate) fn bounding_boxes(labels: ArrayView2<'_, i32>, n: usize, threads: usize) -> Vec<Bounds> {
    let height = labels.dim().0;
    // A table a block is too much where there are as many labels as pixels.
    let block_rows = if n > MANY { height } else { BLOCK_ROWS };
    let boxes = parallel::map(threads, height.div_ceil(block_rows.max(1)), |i| {
        let mut boxes = vec![(NOTHING, NOTHING); n];
        for y in i * block_rows..((i + 1) * block_rows).min(height) {
            for_each_run(labels.row(y), |label, run| {
                if let Some((rows, columns)) = boxes.get_mut(label as usize - 1) {
                    *rows = rows.start.min(y)..y + 1;
                    *columns = columns.start.min(run.start)..columns.end.max(run.end);
                }
            });
        }
        boxes
    });
    let merged = boxes.into_iter().reduce(|mut all, some| {
        for (a, b) in all.iter_mut().zip(some) {
            a.0 = a.0.start.min(b.0.start)..a.0.end.max(b.0.end);
            a.1 = a.1.start.min(b.1.start)..a.1.end.max(b.1.end);
        }
        all
    });
    merged.unwrap_or_default()
}
