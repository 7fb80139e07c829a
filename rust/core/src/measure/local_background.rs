//! Background around a region: a ring at some distance, without the pixels of and near other regions.

use ndarray::ArrayView2;

use crate::measure::bits::BitGrid;
use crate::measure::regions::Region;
use crate::pixel::Pixel;

/// Pixels left free around every region: the tails of its blurred edge.
const GAP: usize = 2;
/// Widths of the ring that are tried until it has `ENOUGH` pixels.
const WIDTHS: [usize; 3] = [4, 8, 16];
/// Pixels that make a usable mean.
const ENOUGH: usize = 32;
/// Pixels farther than this many standard deviations from the mean are left out, again and again.
const CLIP: f64 = 3.0;
/// Rounds of clipping; it has settled by then or never will.
const ROUNDS: usize = 5;

/// Clipped mean and standard deviation of the ring; NaN where no pixel is left.
pub(crate) fn local_background<T: Pixel>(
    image: ArrayView2<'_, T>,
    region: &Region<'_>,
    foreground: &BitGrid,
) -> (f64, f64) {
    let (height, width) = image.dim();
    let mut values: Vec<f64> = Vec::new();
    for ring_width in WIDTHS {
        // Wide enough that a neighbour outside the ring but near it is seen.
        let pad = 2 * GAP + ring_width;
        let mask = region.mask(pad);
        let (y0, x0) = (
            region.y0 as isize - pad as isize,
            region.x0 as isize - pad as isize,
        );
        let (rows, columns) = (region.height() + 2 * pad, region.width() + 2 * pad);
        let taken = foreground.window(y0, x0, rows, columns).dilated(GAP);
        let mut ring = mask.dilated(GAP + ring_width);
        ring.clear(&taken);
        values.clear();
        values.reserve(ring.count());
        ring.for_each(|y, x| {
            let (y, x) = (y as isize + y0, x as isize + x0);
            if y >= 0 && x >= 0 && (y as usize) < height && (x as usize) < width {
                values.push(image[[y as usize, x as usize]].to_f64());
            }
        });
        if values.len() >= ENOUGH {
            break;
        }
    }
    clipped(values)
}

fn clipped(mut values: Vec<f64>) -> (f64, f64) {
    let (mut mean, mut std) = spread(&values);
    for _ in 0..ROUNDS {
        let before = values.len();
        values.retain(|v| (v - mean).abs() <= CLIP * std);
        if values.len() == before {
            break;
        }
        (mean, std) = spread(&values);
    }
    (mean, std)
}

fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean, variance.sqrt())
}
