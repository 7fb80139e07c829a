//! Li's threshold of minimum cross entropy (Li & Lee, Pattern Recogn. 26, 617, 1993), by the iteration of Li & Tam (Pattern
//! Recogn. Lett. 19, 771, 1998): t = (mean below − mean above) / (ln mean below − ln mean above), above the smallest pixel.
//!
//! One pass makes a histogram of counts and sums, from which an iteration needs only the bin that holds t. The course of the
//! iteration is first predicted with straight lines inside the bins; a second pass fetches the pixels of the bins it meets, and the iteration is
//! run again exactly.

use std::collections::{BTreeMap, BTreeSet};

use multiversion::multiversion;
use ndarray::{ArrayView2, s};

use crate::pixel::Pixel;
use crate::segment::histogram::{CHUNK, extent, for_blocks, levels, whole};

/// Bins of the histogram of a float image: 32 KiB, the L1 cache.
const BINS: usize = 2048;

/// Pixels looked at for the smallest step between values.
const SAMPLE: usize = 65_536;

/// More steps than any image needs; a limit, because rounding could make two thresholds alternate.
const MAX_STEPS: usize = 10_000;

/// Li's threshold, None for an empty image; a constant image is its own threshold. The iteration ends when t moves by no
/// more than half the smallest step between pixel values: 0.5 for integers, taken from an even sample of the pixels for floats.
pub fn li<T: Pixel>(image: ArrayView2<'_, T>, threads: usize) -> Option<f64> {
    let (low, high) = extent(image, threads)?;
    if low == high {
        return Some(low.to_f64());
    }
    let above_low = if T::INTEGER {
        of_levels(&levels(image, threads))
    } else {
        of_floats(image, low, high, threads)
    };
    Some(above_low + low.to_f64())
}

/// Iterates until the step is at most `tolerance`; `split(t)` gives count and sum of the pixels above t.
fn iterate(total: [f64; 2], tolerance: f64, mut split: impl FnMut(f64) -> [f64; 2]) -> f64 {
    let mut t = total[1] / total[0];
    for _ in 0..MAX_STEPS {
        let [n_above, sum_above] = split(t);
        let above = sum_above / n_above;
        let below = (total[1] - sum_above) / (total[0] - n_above);
        if below <= 0.0 {
            break;
        }
        let next = (below - above) / (below.ln() - above.ln());
        let step = (next - t).abs();
        t = next;
        if step <= tolerance {
            break;
        }
    }
    t
}

/// `counts` from level 0 on; the threshold above the lowest level present.
fn of_levels(counts: &[u64]) -> f64 {
    let first = counts.iter().position(|&n| n > 0).unwrap_or(0);
    let mut above = vec![[0.0; 2]; counts.len() - first + 1];
    for i in (first..counts.len()).rev() {
        let n = counts[i] as f64;
        let [count, sum] = above[i - first + 1];
        above[i - first] = [count + n, sum + n * (i - first) as f64];
    }
    iterate(above[0], 0.5, |t| above[t as usize + 1])
}

fn of_floats<T: Pixel>(image: ArrayView2<'_, T>, low: T, high: T, threads: usize) -> f64 {
    let width = (high - low).to_f64() / BINS as f64;
    let scale = 1.0 / width;
    let table = counts_and_sums(image, low, scale, threads);
    // above[k]: count and sum of bins k, k + 1, …
    let mut above = vec![[0.0; 2]; BINS + 1];
    for k in (0..BINS).rev() {
        above[k] = [above[k + 1][0] + table[k][0], above[k + 1][1] + table[k][1]];
    }
    let tolerance = 0.5 * smallest_step(image, low);

    let mut met = BTreeSet::new();
    iterate(above[0], tolerance.max(1e-6 * width), |t| {
        let k = bin::<T>(t, scale);
        met.insert(k);
        let upper = (k + 1) as f64 * width;
        let n = table[k][0] * ((upper - t) / width).clamp(0.0, 1.0);
        [above[k + 1][0] + n, above[k + 1][1] + n * 0.5 * (t + upper)]
    });
    let mut pixels = fetch(image, low, scale, &met, threads);
    iterate(above[0], tolerance, |t| {
        let k = bin::<T>(t, scale);
        if !pixels.contains_key(&k) {
            pixels.extend(fetch(image, low, scale, &BTreeSet::from([k]), threads));
        }
        let higher = pixels[&k].iter().filter(|&&v| v > t);
        higher.fold(above[k + 1], |[n, sum], v| [n + 1.0, sum + v])
    })
}

/// The bin of a height above the lowest pixel; never decreases with the height, in either precision.
#[inline(always)]
fn bin<T: Pixel>(above_low: f64, scale: f64) -> usize {
    let bin = if is_f32::<T>() {
        whole_f32(above_low as f32 * scale as f32)
    } else {
        whole(above_low * scale, BINS as f64 - 1.0)
    };
    bin as usize
}

/// `whole` in float32, up to the last bin.
#[inline(always)]
fn whole_f32(x: f32) -> u32 {
    const LAST: f32 = BINS as f32 - 1.0;
    const SHIFT: f32 = (1u32 << 23) as f32;
    let x = if x - 0.5 > 0.0 { x - 0.5 } else { 0.0 };
    let x = if x < LAST { x } else { LAST };
    (x + SHIFT).to_bits() - SHIFT.to_bits()
}

#[inline(always)]
fn is_f32<T: Pixel>() -> bool {
    T::as_f32(&[]).is_some()
}

/// Heights above the lowest pixel, and their bins. float32 is binned in float32: twice as many at a time.
#[multiversion(targets("x86_64+avx2"))]
fn prepare<T: Pixel>(values: &[T], low: T, scale: f64, heights: &mut [f64], index: &mut [u32]) {
    let last = BINS as f64 - 1.0;
    let places = heights.iter_mut().zip(index);
    if let Some(values) = T::as_f32(values) {
        let (low, scale) = (low.to_f32(), scale as f32);
        for ((h, i), &v) in places.zip(values) {
            let above = v - low;
            *h = f64::from(above);
            *i = whole_f32(above * scale);
        }
    } else {
        for ((h, i), &v) in places.zip(values) {
            *h = (v - low).to_f64();
            *i = whole(*h * scale, last);
        }
    }
}

fn counts_and_sums<T: Pixel>(
    image: ArrayView2<'_, T>,
    low: T,
    scale: f64,
    threads: usize,
) -> Vec<[f64; 2]> {
    let parts = for_blocks(image, threads, |pieces| {
        let mut even = vec![[0.0; 2]; BINS];
        let mut odd = even.clone();
        let mut heights = [0.0; CHUNK];
        let mut index = [0; CHUNK];
        for piece in pieces {
            let (heights, index) = (&mut heights[..piece.len()], &mut index[..piece.len()]);
            prepare(&piece, low, scale, heights, index);
            // Two tables: equal neighbours would wait for each other's store.
            let pairs = heights.chunks(2).zip(index.chunks(2));
            for (heights, index) in pairs {
                add(&mut even, index[0], heights[0]);
                if let [_, i] = *index {
                    add(&mut odd, i, heights[1]);
                }
            }
        }
        [even, odd]
    });
    let mut table = vec![[0.0; 2]; BINS];
    for part in parts.into_iter().flatten() {
        for (t, p) in table.iter_mut().zip(part) {
            *t = [t[0] + p[0], t[1] + p[1]];
        }
    }
    table
}

#[inline(always)]
fn add(table: &mut [[f64; 2]], bin: u32, height: f64) {
    let [count, sum] = table[bin as usize];
    table[bin as usize] = [count + 1.0, sum + height];
}

/// Heights of the pixels in the wanted bins, in image order.
fn fetch<T: Pixel>(
    image: ArrayView2<'_, T>,
    low: T,
    scale: f64,
    wanted: &BTreeSet<usize>,
    threads: usize,
) -> BTreeMap<usize, Vec<f64>> {
    let mut marked = vec![false; BINS];
    wanted.iter().for_each(|&k| marked[k] = true);
    let parts = for_blocks(image, threads, |pieces| {
        let mut found = Vec::new();
        let mut heights = [0.0; CHUNK];
        let mut index = [0; CHUNK];
        for piece in pieces {
            let (heights, index) = (&mut heights[..piece.len()], &mut index[..piece.len()]);
            prepare(&piece, low, scale, heights, index);
            for (&h, &i) in heights.iter().zip(&*index) {
                if marked[i as usize] {
                    found.push((i, h));
                }
            }
        }
        found
    });
    let mut pixels: BTreeMap<usize, Vec<f64>> = wanted.iter().map(|&k| (k, Vec::new())).collect();
    for (i, h) in parts.into_iter().flatten() {
        pixels.entry(i as usize).or_default().push(h);
    }
    pixels
}

/// Smallest difference between distinct pixels of an even sample; 0 where the sample is constant.
fn smallest_step<T: Pixel>(image: ArrayView2<'_, T>, low: T) -> f64 {
    let every = (image.len() as f64 / SAMPLE as f64).sqrt().ceil().max(1.0) as isize;
    let sample = image.slice(s![..;every, ..;every]);
    let mut heights: Vec<f64> = sample.iter().map(|&v| (v - low).to_f64()).collect();
    heights.sort_unstable_by(f64::total_cmp);
    let steps = heights.windows(2).map(|w| w[1] - w[0]);
    let smallest = steps.filter(|&d| d > 0.0).fold(f64::INFINITY, f64::min);
    if smallest.is_finite() { smallest } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn two_peaks() -> Array2<u16> {
        Array2::from_shape_fn((200, 300), |(y, x)| {
            let noise = ((y * 300 + x) * 7919 % 211) as u16;
            if (y / 20 + x / 20) % 5 == 0 {
                900 + noise
            } else {
                100 + noise
            }
        })
    }

    #[test]
    fn integers_and_floats_agree() {
        let image = two_peaks();
        let expected = li(image.view(), 1).unwrap();
        assert!(expected > 311.0 && expected < 900.0);
        for threads in [1, 3] {
            let floats = image.mapv(f32::from);
            assert!((li(floats.view(), threads).unwrap() - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn ends_at_a_fixed_point() {
        let image = two_peaks().mapv(|v| f64::from(v) + (f64::from(v) * 1.7).sin());
        let t = li(image.view(), 2).unwrap();
        let low = image.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = |keep: &dyn Fn(f64) -> bool| {
            let kept: Vec<f64> = image
                .iter()
                .filter(|&&v| keep(v))
                .map(|v| v - low)
                .collect();
            kept.iter().sum::<f64>() / kept.len() as f64
        };
        let (below, above) = (mean(&|v| v <= t), mean(&|v| v > t));
        let next = (below - above) / (below.ln() - above.ln()) + low;
        assert!((next - t).abs() < 1e-6, "{next} {t}");
    }

    #[test]
    fn flat_and_empty() {
        assert_eq!(li(Array2::from_elem((3, 4), 7u8).view(), 1), Some(7.0));
        assert_eq!(li(Array2::<f32>::zeros((0, 4)).view(), 1), None);
    }
}
