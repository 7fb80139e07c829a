//! Intensities inside a region: sums, extremes, spread, weighted centroid and radial profile.

use ndarray::ArrayView2;

use crate::measure::moments::Moments;
use crate::measure::regions::Region;
use crate::pixel::Pixel;

/// Sums over the pixels of a region.
pub(crate) struct Intensity {
    pub(crate) sum: f64,
    pub(crate) max: f64,
    pub(crate) min: f64,
    pub(crate) std: f64,
    /// Centroid weighted with the intensity; NaN where the intensities sum to zero.
    pub(crate) y: f64,
    pub(crate) x: f64,
    /// Pixels at or above the saturation level.
    pub(crate) saturated: u64,
}

impl Intensity {
    /// Reads the region's pixels twice: sums first, then the spread about the mean.
    pub(crate) fn new<T: Pixel>(
        image: ArrayView2<'_, T>,
        region: &Region<'_>,
        moments: &Moments,
        saturation: Option<f64>,
    ) -> Self {
        let (mut sum, mut sum_y, mut sum_x) = (0.0, 0.0, 0.0);
        let (mut max, mut min) = (f64::NEG_INFINITY, f64::INFINITY);
        let level = saturation.unwrap_or(f64::INFINITY);
        let mut saturated = 0;
        let mut buffer = Vec::new();
        for run in region.runs {
            let values = row_slice(image, run.y, run.x0, run.x1, &mut buffer);
            let (mut row_sum, mut row_x) = ([0.0; LANES], [0.0; LANES]);
            let (mut row_max, mut row_min) = ([f64::NEG_INFINITY; LANES], [f64::INFINITY; LANES]);
            let start = f64::from(run.x0) - moments.x;
            for (k, chunk) in values.chunks(LANES).enumerate() {
                for (i, &value) in chunk.iter().enumerate() {
                    let value = value.to_f64();
                    row_sum[i] += value;
                    row_x[i] += value * (start + (k * LANES + i) as f64);
                    row_max[i] = if value > row_max[i] {
                        value
                    } else {
                        row_max[i]
                    };
                    row_min[i] = if value < row_min[i] {
                        value
                    } else {
                        row_min[i]
                    };
                }
            }
            let row_sum: f64 = row_sum.iter().sum();
            sum += row_sum;
            sum_y += row_sum * (f64::from(run.y) - moments.y);
            sum_x += row_x.iter().sum::<f64>();
            max = row_max.iter().fold(max, |a, &b| a.max(b));
            min = row_min.iter().fold(min, |a, &b| a.min(b));
            if max >= level {
                saturated += values.iter().filter(|v| v.to_f64() >= level).count() as u64;
            }
        }
        let mean = sum / moments.area as f64;
        let mut squares = 0.0;
        for run in region.runs {
            let values = row_slice(image, run.y, run.x0, run.x1, &mut buffer);
            let mut row = [0.0; LANES];
            for chunk in values.chunks(LANES) {
                for (total, &value) in row.iter_mut().zip(chunk) {
                    let difference = value.to_f64() - mean;
                    *total += difference * difference;
                }
            }
            squares += row.iter().sum::<f64>();
        }
        let (y, x) = if sum == 0.0 {
            (f64::NAN, f64::NAN)
        } else {
            (moments.y + sum_y / sum, moments.x + sum_x / sum)
        };
        Self {
            sum,
            max,
            min,
            std: (squares / moments.area as f64).sqrt(),
            y,
            x,
            saturated,
        }
    }
}

/// Independent partial sums of a row: lets the processor overlap additions, in an order that never changes.
const LANES: usize = 4;

/// Mean of the region's pixels in `profile.len()` rings of equal width about the centroid; NaN in empty rings.
///
/// The outermost ring ends half a pixel beyond the farthest pixel centre.
pub(crate) fn radial_profile<T: Pixel>(
    image: ArrayView2<'_, T>,
    region: &Region<'_>,
    moments: &Moments,
    sampling: (f64, f64),
    profile: &mut [f64],
) {
    let (sy, sx) = sampling;
    let mut farthest = 0f64;
    for run in region.runs {
        let dy = (f64::from(run.y) - moments.y) * sy;
        for x in [run.x0, run.x1 - 1] {
            let dx = (f64::from(x) - moments.x) * sx;
            farthest = farthest.max(dy * dy + dx * dx);
        }
    }
    let farthest = farthest.sqrt();
    let bins = profile.len();
    let scale = bins as f64 / (farthest + 0.5 * sy.max(sx));
    let mut counts = vec![0u64; bins];
    let mut buffer = Vec::new();
    profile.fill(0.0);
    for run in region.runs {
        let values = row_slice(image, run.y, run.x0, run.x1, &mut buffer);
        let dy = (f64::from(run.y) - moments.y) * sy;
        for (i, &value) in values.iter().enumerate() {
            let dx = (f64::from(run.x0) + i as f64 - moments.x) * sx;
            let bin = (((dy * dy + dx * dx).sqrt() * scale) as usize).min(bins - 1);
            profile[bin] += value.to_f64();
            counts[bin] += 1;
        }
    }
    for (value, &n) in profile.iter_mut().zip(&counts) {
        *value = if n > 0 { *value / n as f64 } else { f64::NAN };
    }
}

/// Pixels `x0..x1` of row `y`, copied only where the image is not contiguous.
pub(crate) fn row_slice<'a, T: Pixel>(
    image: ArrayView2<'a, T>,
    y: u32,
    x0: u32,
    x1: u32,
    buffer: &'a mut Vec<T>,
) -> &'a [T] {
    let range = x0 as usize..x1 as usize;
    let row = image.index_axis_move(ndarray::Axis(0), y as usize);
    match row.to_slice() {
        Some(slice) => &slice[range],
        None => {
            buffer.clear();
            buffer.extend(range.map(|x| row[x]));
            buffer
        }
    }
}
