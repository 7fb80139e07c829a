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
        for (y, out_row) in cut.chunks_mut(box_px).enumerate() {
            for (x, value) in out_row.iter_mut().enumerate() {
                let (ys, xs) = (rows.nearest(y), columns.nearest(x));
                if !inside(image.dim(), ys, xs) {
                    continue;
                }
                if masked && labels[[ys as usize, xs as usize]] != region.label {
                    continue;
                }
                *value = (interpolated(image, &rows, &columns, y, x) - level) as f32;
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

    fn nearest(&self, i: usize) -> isize {
        self.first + i as isize + isize::from(self.fraction >= 0.5)
    }
}

fn inside(shape: (usize, usize), y: isize, x: isize) -> bool {
    y >= 0 && x >= 0 && (y as usize) < shape.0 && (x as usize) < shape.1
}

/// Value between the pixels; the frame's edge pixels are repeated.
fn interpolated<T: Pixel>(
    image: ArrayView2<'_, T>,
    rows: &Axis,
    columns: &Axis,
    y: usize,
    x: usize,
) -> f64 {
    let (height, width) = image.dim();
    let (y0, x0) = (rows.first + y as isize, columns.first + x as isize);
    let mut total = 0.0;
    for (j, wy) in rows.weights.iter().enumerate() {
        if *wy == 0.0 {
            continue;
        }
        let yy = (y0 + j as isize - 1).clamp(0, height as isize - 1) as usize;
        let mut along = 0.0;
        for (i, wx) in columns.weights.iter().enumerate() {
            let xx = (x0 + i as isize - 1).clamp(0, width as isize - 1) as usize;
            along += wx * image[[yy, xx]].to_f64();
        }
        total += wy * along;
    }
    total
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
