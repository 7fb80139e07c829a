//! Square white top-hat: the image minus its opening by a square, equal to `scipy.ndimage.white_tophat(size=n)`.
//!
//! Running extrema by van Herk (Pattern Recogn. Lett. 13, 517, 1992) and Gil & Werman (IEEE PAMI 15, 504, 1993): three
//! comparisons a pixel and axis whatever the size. Lines are processed side by side, so that every step is a vector operation.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;

/// Bytes of a row of a column strip: a few cache lines, so that the strip's window stays in the L2 cache.
const STRIP_BYTES: usize = 512;

/// Bytes of a row of a transposed band of rows: one cache line.
const BAND_BYTES: usize = 64;

/// `image` minus its opening by a square of side `size_px`; mirrored borders, an even square leans towards lower indices.
pub fn tophat<T: Pixel>(
    image: ArrayView2<'_, T>,
    size_px: usize,
    threads: usize,
) -> Result<Array2<T>> {
    let mut out = Array2::<T>::default(image.dim());
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    tophat_into(image, size_px, threads, slice)?;
    Ok(out)
}

/// The same, row after row into `out`.
pub fn tophat_into<T: Pixel>(
    image: ArrayView2<'_, T>,
    size_px: usize,
    threads: usize,
    out: &mut [T],
) -> Result<()> {
    if size_px == 0 {
        return Err(Error::invalid("size_px", "an integer >= 1", size_px));
    }
    let (height, width) = image.dim();
    if height == 0 || width == 0 || size_px == 1 {
        out.fill(T::default());
        return Ok(());
    }
    let before = size_px / 2;
    let after = size_px - 1 - before;

    let strip = (STRIP_BYTES / size_of::<T>()).min(width);
    let mut whole = columns_of(out, width);
    let strips = whole.axis_chunks_iter_mut(Axis(1), strip).collect();
    parallel::for_each(threads, strips, |i, mut columns: ArrayViewMut2<'_, T>| {
        let mut lines = Lines::gather(image, i * strip, columns.ncols());
        lines.running::<false>(before, after);
        for (mut row, values) in columns.rows_mut().into_iter().zip(lines.rows()) {
            contiguous(&mut row).copy_from_slice(values);
        }
    });

    let band = BAND_BYTES / size_of::<T>();
    parallel::for_each_block(threads, out, band * width, |_, rows| {
        let n = rows.len() / width;
        let mut lines = Lines::transposed(rows, width, n);
        lines.running::<false>(before, after);
        lines.running::<true>(after, before);
        lines.transpose_into(rows, width);
    });

    let mut whole = columns_of(out, width);
    let strips = whole.axis_chunks_iter_mut(Axis(1), strip).collect();
    parallel::for_each(threads, strips, |i, mut columns: ArrayViewMut2<'_, T>| {
        let x0 = i * strip;
        let mut lines = Lines::gather(columns.view(), 0, columns.ncols());
        lines.running::<true>(after, before);
        for (y, (mut row, opened)) in columns.rows_mut().into_iter().zip(lines.rows()).enumerate() {
            let row = contiguous(&mut row);
            let pixels = image.row(y);
            let pixels = pixels.slice(ndarray::s![x0..x0 + row.len()]);
            match pixels.as_slice() {
                Some(pixels) => {
                    for ((r, &p), &o) in row.iter_mut().zip(pixels).zip(opened) {
                        *r = p - o;
                    }
                }
                None => {
                    for ((r, &p), &o) in row.iter_mut().zip(pixels).zip(opened) {
                        *r = p - o;
                    }
                }
            }
        }
    });
    Ok(())
}

fn columns_of<T>(data: &mut [T], width: usize) -> ArrayViewMut2<'_, T> {
    let shape = (data.len() / width, width);
    ArrayViewMut2::from_shape(shape, data).expect("whole rows")
}

/// Several lines side by side: `data[position * count + line]`.
struct Lines<T> {
    data: Vec<T>,
    count: usize,
}

impl<T: Pixel> Lines<T> {
    /// Columns `x0 .. x0 + count` of an image.
    fn gather(image: ArrayView2<'_, T>, x0: usize, count: usize) -> Self {
        let part = image.slice_move(ndarray::s![.., x0..x0 + count]);
        let mut data = Vec::with_capacity(part.len());
        for row in part.rows() {
            match row.as_slice() {
                Some(row) => data.extend_from_slice(row),
                None => data.extend(row.iter().copied()),
            }
        }
        Self { data, count }
    }

    /// `count` contiguous rows of an image as lines.
    fn transposed(rows: &[T], width: usize, count: usize) -> Self {
        let mut data = vec![T::default(); rows.len()];
        for (line, row) in rows.chunks_exact(width).enumerate() {
            for (values, &v) in data.chunks_exact_mut(count).zip(row) {
                values[line] = v;
            }
        }
        Self { data, count }
    }

    fn transpose_into(&self, rows: &mut [T], width: usize) {
        for (line, row) in rows.chunks_exact_mut(width).enumerate() {
            for (v, values) in row.iter_mut().zip(self.data.chunks_exact(self.count)) {
                *v = values[line];
            }
        }
    }

    fn rows(&self) -> std::slice::ChunksExact<'_, T> {
        self.data.chunks_exact(self.count)
    }

    /// Replaces each value by the minimum (or maximum) over `before` positions before to `after` behind it.
    fn running<const MAXIMUM: bool>(&mut self, before: usize, after: usize) {
        let length = self.data.len() / self.count;
        running::<T, MAXIMUM>(
            &mut self.data,
            self.count,
            before.min(length - 1),
            after.min(length - 1),
        );
    }
}

fn contiguous<'a, T>(row: &'a mut ndarray::ArrayViewMut1<'_, T>) -> &'a mut [T] {
    row.as_slice_mut()
        .expect("columns of a fresh array have contiguous rows")
}

#[inline(always)]
fn extremum<T: Pixel, const MAXIMUM: bool>(a: T, b: T) -> T {
    if MAXIMUM {
        if b > a { b } else { a }
    } else if b < a {
        b
    } else {
        a
    }
}

/// In place: the write position never passes the read position. Segments of one window length are read once; the window that
/// starts at offset j of a segment is the extremum of that segment's suffix from j and of the next segment's prefix before j.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
fn running<T: Pixel, const MAXIMUM: bool>(
    data: &mut [T],
    count: usize,
    before: usize,
    after: usize,
) {
    let neutral = if MAXIMUM { T::LOWEST } else { T::HIGHEST };
    let window = before + after + 1;
    let length = data.len() / count;
    let mut segment = vec![neutral; window * count];
    let mut prefix = vec![neutral; count];
    for t in 0..length + window - 1 {
        let j = t % window;
        if j == 0 {
            prefix.fill(neutral);
        }
        let (done, suffix) = segment.split_at_mut((j + 1) * count);
        let slot = &mut done[j * count..];
        if t >= before && t - before < length {
            let row = &data[(t - before) * count..][..count];
            for ((p, s), &v) in prefix.iter_mut().zip(slot).zip(row) {
                *p = extremum::<T, MAXIMUM>(*p, v);
                *s = v;
            }
        } else {
            slot.fill(neutral);
        }
        if t + 1 >= window {
            let row = &mut data[(t + 1 - window) * count..][..count];
            if j + 1 < window {
                for ((r, &p), &s) in row.iter_mut().zip(&prefix).zip(&suffix[..count]) {
                    *r = extremum::<T, MAXIMUM>(p, s);
                }
            } else {
                row.copy_from_slice(&prefix);
            }
        }
        if j + 1 == window {
            for j in (0..window - 1).rev() {
                let (here, next) = segment.split_at_mut((j + 1) * count);
                for (h, &n) in here[j * count..].iter_mut().zip(&next[..count]) {
                    *h = extremum::<T, MAXIMUM>(*h, n);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_minimum_of_a_line() {
        let line = [5u8, 3, 8, 1, 9, 9, 2];
        for (before, after) in [(1, 1), (2, 1), (0, 3), (3, 0), (6, 6)] {
            let mut lines = Lines {
                data: line.to_vec(),
                count: 1,
            };
            lines.running::<false>(before, after);
            for i in 0..line.len() {
                let window = &line[i.saturating_sub(before)..(i + after + 1).min(line.len())];
                assert_eq!(lines.data[i], *window.iter().min().unwrap());
            }
        }
    }

    #[test]
    fn keeps_what_is_narrower_than_the_square() {
        let mut image = Array2::<u16>::from_elem((40, 50), 1000);
        image.slice_mut(ndarray::s![10..13, 20..24]).fill(1500);
        let out = tophat(image.view(), 5, 2).unwrap();
        assert_eq!(out[[11, 21]], 500);
        assert_eq!(out.iter().map(|&v| u32::from(v)).sum::<u32>(), 12 * 500);
        assert_eq!(
            tophat(image.view(), 0, 1).unwrap_err().kind(),
            "invalid_value"
        );
    }
}
