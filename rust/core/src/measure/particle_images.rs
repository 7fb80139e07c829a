//! Cut-outs of all regions on one box size, centred on their centroids, background removed.

use ndarray::{Array3, ArrayView2};

use crate::error::{Error, Result};
use crate::measure::local_background::local_background;
use crate::measure::moments::Moments;
use crate::measure::region_properties::{Background, mean_inside, same_shape};
use crate::measure::regions::LabelRuns;
use crate::parallel;
use crate::pixel::Pixel;

/// Largest box side, so that a mistyped size fails at once.
const LARGEST_BOX: usize = 1 << 14;

/// One image a region in ascending order of the labels; the centroid lies at index `box_px / 2`.
///
/// What lies outside the frame (or, with `masked`, outside the region) is 0. `subpixel` interpolates with Keys' cubic kernel;
/// otherwise the cut-out starts at the nearest whole pixel.
pub fn particle_images<T: Pixel>(
    image: ArrayView2<'_, T>,
    labels: ArrayView2<'_, i32>,
    box_px: usize,
    masked: bool,
    background: Background<'_>,
    subpixel: bool,
    threads: usize,
) -> Result<Array3<f32>> {
    same_shape("labels", image.dim(), labels.dim())?;
    if let Background::Image(values) = background {
        same_shape("background", image.dim(), values.dim())?;
    }
    if box_px == 0 || box_px > LARGEST_BOX {
        return Err(Error::invalid("box_px", "an integer 1 … 16384", box_px));
    }
    let regions = LabelRuns::new(labels, threads);
    let mut out = Array3::<f32>::zeros((regions.len(), box_px, box_px));
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, box_px * box_px, |i, cut| {
        let region = regions.region(i);
        let moments = Moments::new(&region);
        let level = match background {
            Background::Ring => local_background(image, &region, &regions.foreground).0,
            Background::Constant(value) => value,
            Background::Image(values) => mean_inside(values, &region, moments.area as f64),
        };
        // A region without any background pixel around it stays as it is.
        let level = if level.is_nan() { 0.0 } else { level };
        let middle = (box_px / 2) as f64;
        let grid = |centre: f64| {
            let start = centre - middle;
            Axis::new(if subpixel {
                start
            } else {
                (start + 0.5).floor()
            })
        };
        let (rows, columns) = (grid(moments.y), grid(moments.x));
        let mut line = Vec::new();
        let mut fill = |y: usize, x0: usize, x1: usize| {
            // Places of the box whose nearest pixel is one of these.
            let (Some(i), Some((j0, j1))) = (rows.place(y, box_px), columns.places(x0, x1, box_px))
            else {
                return;
            };
            let out_row = &mut cut[i * box_px + j0..i * box_px + j1];
            interpolate(image, &rows, &columns, i, j0, out_row, &mut line);
            for value in out_row {
                *value -= level as f32;
            }
        };
        if masked {
            for run in region.runs {
                fill(run.y as usize, run.x0 as usize, run.x1 as usize);
            }
        } else {
            for y in rows.covered(box_px, image.nrows()) {
                fill(y, 0, image.ncols());
            }
        }
    });
    Ok(out)
}

/// Positions of the box along one axis of the frame.
struct Axis {
    /// Whole pixel before the first position, and the cubic weights of the four pixels around a position.
    first: isize,
    fraction: f64,
    weights: [f64; 4],
}

impl Axis {
    fn new(start: f64) -> Self {
        let first = start.floor();
        let t = start - first;
        // Keys, IEEE Trans. ASSP 29, 1153 (1981), a = -1/2.
        let weights = [
            -0.5 * t * t * t + t * t - 0.5 * t,
            1.5 * t * t * t - 2.5 * t * t + 1.0,
            -1.5 * t * t * t + 2.0 * t * t + 0.5 * t,
            0.5 * t * t * t - 0.5 * t * t,
        ];
        Self {
            first: first as isize,
            fraction: t,
            weights,
        }
    }

    /// Pixel nearest to the first place of the box.
    fn nearest(&self) -> isize {
        self.first + isize::from(self.fraction >= 0.5)
    }

    /// Place of the box nearest to a pixel.
    fn place(&self, pixel: usize, box_px: usize) -> Option<usize> {
        usize::try_from(pixel as isize - self.nearest())
            .ok()
            .filter(|&i| i < box_px)
    }

    /// Places of the box nearest to the pixels `start..end`.
    fn places(&self, start: usize, end: usize, box_px: usize) -> Option<(usize, usize)> {
        let from = (start as isize - self.nearest()).max(0);
        let to = (end as isize - self.nearest()).min(box_px as isize);
        (from < to).then_some((from as usize, to as usize))
    }

    /// Pixels of the frame that the box reaches.
    fn covered(&self, box_px: usize, length: usize) -> std::ops::Range<usize> {
        let from = self.nearest().clamp(0, length as isize);
        let to = (self.nearest() + box_px as isize).clamp(from, length as isize);
        from as usize..to as usize
    }
}

/// Values at the places `j0..` of row `i` of the box: down the columns first, then along; the frame's edge pixels are repeated.
fn interpolate<T: Pixel>(
    image: ArrayView2<'_, T>,
    rows: &Axis,
    columns: &Axis,
    i: usize,
    j0: usize,
    out: &mut [f32],
    line: &mut Vec<f64>,
) {
    let (height, width) = image.dim();
    let (y0, x0) = (rows.first + i as isize, columns.first + j0 as isize);
    let clamped = |at: isize, n: usize| at.clamp(0, n as isize - 1) as usize;
    line.clear();
    line.resize(out.len() + 3, 0.0);
    let inner = x0 >= 1 && x0 as usize + line.len() - 1 <= width;
    for (j, &weight) in rows.weights.iter().enumerate() {
        if weight == 0.0 {
            continue;
        }
        let row = image.row(clamped(y0 + j as isize - 1, height));
        match row.to_slice() {
            Some(row) if inner => {
                let row = &row[x0 as usize - 1..];
                for (sum, value) in line.iter_mut().zip(row) {
                    *sum += weight * value.to_f64();
                }
            }
            _ => {
                for (k, sum) in line.iter_mut().enumerate() {
                    *sum += weight * row[clamped(x0 + k as isize - 1, width)].to_f64();
                }
            }
        }
    }
    let [a, b, c, d] = columns.weights;
    for (value, w) in out.iter_mut().zip(line.windows(4)) {
        *value = (a * w[0] + b * w[1] + c * w[2] + d * w[3]) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn a_whole_pixel_shift_copies() {
        let image = Array2::from_shape_fn((12, 12), |(y, x)| (10 * y + x) as f64);
        let mut labels = Array2::<i32>::zeros((12, 12));
        labels.slice_mut(ndarray::s![4..7, 5..8]).fill(3);
        let level = Background::Constant(0.0);
        let out = particle_images(image.view(), labels.view(), 4, false, level, true, 1).unwrap();
        assert_eq!(out.dim(), (1, 4, 4));
        assert_eq!(out[[0, 2, 2]], 56.0);
        assert_eq!(out[[0, 0, 0]], 34.0);
    }
}
