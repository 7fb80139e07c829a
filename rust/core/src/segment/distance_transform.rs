//! Exact Euclidean distance to the nearest background pixel, in two and three dimensions, with a spacing per axis.
//!
//! Distances along the first axis by counting, then along each further axis the lower envelope of parabolas (Felzenszwalb &
//! Huttenlocher, Theory of Computing 8, 415, 2012), found as the lower hull of the points (p, h + p²), without a division. A run of foreground
//! between two background pixels depends on nothing beyond them, so background costs next to nothing.

use std::borrow::Cow;

use multiversion::multiversion;
use ndarray::{ArrayD, ArrayView1, ArrayView2, ArrayViewD, ArrayViewMut3, Axis, Ix2, Ix3};

use crate::error::{Error, Result};
use crate::parallel;

/// Rows of a band: its float32 rows stay in the L2 cache up to images of 8192 columns.
const BAND_ROWS: usize = 32;

/// Neighbouring lines along z handled together: one cache line.
const LINES: usize = 16;

/// Distance (or its square) of every pixel of the mask to the nearest background pixel (0), 0 for those themselves, infinite where there is none.
/// What lies outside the array is not background.
pub fn distance_transform(
    mask: ArrayViewD<'_, u8>,
    sampling: &[f64],
    squared: bool,
    threads: usize,
) -> Result<ArrayD<f32>> {
    let mut out = ArrayD::<f32>::zeros(mask.raw_dim());
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    distance_transform_into(mask, sampling, squared, threads, slice)?;
    Ok(out)
}

/// The same, in C order into `out`.
pub fn distance_transform_into(
    mask: ArrayViewD<'_, u8>,
    sampling: &[f64],
    squared: bool,
    threads: usize,
    out: &mut [f32],
) -> Result<()> {
    if sampling.len() != mask.ndim() || sampling.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return Err(Error::invalid(
            "sampling",
            "a finite number > 0 for each axis",
            format!("{sampling:?}"),
        ));
    }
    if mask.is_empty() {
        return Ok(());
    }
    if let Ok(section) = mask.view().into_dimensionality::<Ix2>() {
        plane(section, [sampling[0], sampling[1]], squared, out, threads);
    } else if let Ok(volume) = mask.view().into_dimensionality::<Ix3>() {
        let (_, height, width) = volume.dim();
        parallel::for_each_block(threads, out, height * width, |z, block| {
            let section = volume.index_axis(Axis(0), z);
            plane(section, [sampling[1], sampling[2]], true, block, 1);
        });
        let shape = volume.dim();
        let mut stack = ArrayViewMut3::from_shape(shape, out).expect("the size of the mask");
        let slabs = stack.axis_chunks_iter_mut(Axis(1), 1).collect();
        parallel::for_each(threads, slabs, |_, slab| {
            along_depth(slab, sampling[0], squared);
        });
    } else {
        return Err(Error::invalid("mask", "2 or 3 dimensions", mask.ndim()));
    }
    Ok(())
}

/// Distances within a plane.
fn plane(
    mask: ArrayView2<'_, u8>,
    sampling: [f64; 2],
    squared: bool,
    out: &mut [f32],
    threads: usize,
) {
    let (height, width) = mask.dim();
    let inside = parallel::map(threads, height.div_ceil(BAND_ROWS), |i| {
        let rows = i * BAND_ROWS..((i + 1) * BAND_ROWS).min(height);
        let mut from_above = vec![f32::INFINITY; width];
        for y in rows.clone() {
            extend_run(&mut from_above, &values(mask.row(y)));
        }
        let mut from_below = vec![f32::INFINITY; width];
        for y in rows.rev() {
            extend_run(&mut from_below, &values(mask.row(y)));
        }
        (from_above, from_below)
    });
    // What a band meets at its upper and its lower side: distances in the row before its first and after its last.
    let mut above = vec![vec![f32::INFINITY; width]];
    for (from_above, _) in &inside {
        above.push(carry(&above[above.len() - 1], from_above, BAND_ROWS));
    }
    let mut below = vec![vec![f32::INFINITY; width]];
    for (i, (_, from_below)) in inside.iter().enumerate().rev() {
        let rows = (height - i * BAND_ROWS).min(BAND_ROWS);
        below.push(carry(&below[below.len() - 1], from_below, rows));
    }
    below.reverse();

    parallel::for_each_block(threads, out, BAND_ROWS * width, |i, block| {
        let y0 = i * BAND_ROWS;
        let mut run = above[i].clone();
        for (y, row) in block.chunks_exact_mut(width).enumerate() {
            extend_run(&mut run, &values(mask.row(y0 + y)));
            row.copy_from_slice(&run);
        }
        run.clone_from(&below[i + 1]);
        let mut envelope = Envelope::default();
        for (y, row) in block.chunks_exact_mut(width).enumerate().rev() {
            extend_run(&mut run, &values(mask.row(y0 + y)));
            keep_smaller(row, &run);
            let height = |rows: f32| (f64::from(rows) * sampling[0]).powi(2);
            envelope.line(row, sampling[1], squared, height);
        }
    });
}

/// From squared distances within each section to those in the volume, for one y.
fn along_depth(mut slab: ArrayViewMut3<'_, f32>, spacing: f64, squared: bool) {
    let (depth, _, width) = slab.dim();
    let mut envelope = Envelope::default();
    let mut lines = vec![0f32; depth * LINES];
    for x0 in (0..width).step_by(LINES) {
        let n = LINES.min(width - x0);
        for z in 0..depth {
            for i in 0..n {
                lines[i * depth + z] = slab[[z, 0, x0 + i]];
            }
        }
        for line in lines.chunks_exact_mut(depth).take(n) {
            envelope.line(line, spacing, squared, f64::from);
        }
        for z in 0..depth {
            for i in 0..n {
                slab[[z, 0, x0 + i]] = lines[i * depth + z];
            }
        }
    }
}

fn values(row: ArrayView1<'_, u8>) -> Cow<'_, [u8]> {
    row.to_slice()
        .map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed)
}

/// Distance to the last background pixel, one row further.
#[multiversion(targets("x86_64+avx2"))]
fn extend_run(run: &mut [f32], mask: &[u8]) {
    for (r, &m) in run.iter_mut().zip(mask) {
        let longer = *r + 1.0;
        *r = if m != 0 { longer } else { 0.0 };
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn keep_smaller(row: &mut [f32], other: &[f32]) {
    for (r, &o) in row.iter_mut().zip(other) {
        *r = if o < *r { o } else { *r };
    }
}

/// What a band hands on: the distance counted inside it, or what came in and the band's rows where it has no background.
fn carry(incoming: &[f32], inside: &[f32], rows: usize) -> Vec<f32> {
    let pairs = incoming.iter().zip(inside);
    pairs
        .map(|(&i, &v)| if v.is_finite() { v } else { i + rows as f32 })
        .collect()
}

/// A parabola: position, height there, and height + position².
#[derive(Clone, Copy)]
struct Site {
    p: f64,
    h: f64,
    c: f64,
}

impl Site {
    fn new(p: f64, h: f64) -> Self {
        Self { p, h, c: h + p * p }
    }

    fn at(&self, p: f64) -> f64 {
        (p - self.p) * (p - self.p) + self.h
    }
}

/// Lower envelope of parabolas over one run of foreground; kept for its memory.
#[derive(Default)]
struct Envelope {
    sites: Vec<Site>,
}

impl Envelope {
    /// Replaces each nonzero value of `line` by the distance; `height` gives the square that a value stands for.
    fn line(&mut self, line: &mut [f32], spacing: f64, squared: bool, height: impl Fn(f32) -> f64) {
        let mut start = next(line, 0, |v| v != 0.0);
        while start < line.len() {
            let end = next(line, start, |v| v == 0.0);
            // Positions count from the background pixel before the run: small numbers keep the squares exact.
            let position = |x: usize| (x + 1 - start) as f64 * spacing;
            self.sites.clear();
            if start > 0 {
                self.push(Site::new(0.0, 0.0));
            }
            for x in start..end {
                if line[x].is_finite() {
                    self.push(Site::new(position(x), height(line[x])));
                }
            }
            if end < line.len() {
                self.push(Site::new(position(end), 0.0));
            }
            if !self.sites.is_empty() {
                let mut k = 0;
                for x in start..end {
                    let p = position(x);
                    let mut nearest = self.sites[k].at(p);
                    while let Some(site) = self.sites.get(k + 1) {
                        let other = site.at(p);
                        if other > nearest {
                            break;
                        }
                        nearest = other;
                        k += 1;
                    }
                    let value = nearest as f32;
                    line[x] = if squared { value } else { value.sqrt() };
                }
            }
            start = next(line, end, |v| v != 0.0);
        }
    }

    /// Adds a site to the right and drops those that no position is nearest to any more.
    fn push(&mut self, site: Site) {
        while let [.., a, b] = self.sites[..] {
            if (b.c - a.c) * (site.p - b.p) < (site.c - b.c) * (b.p - a.p) {
                break;
            }
            self.sites.pop();
        }
        self.sites.push(site);
    }
}

/// First position from `start` whose value fulfils `wanted`, or the length.
fn next(line: &[f32], start: usize, wanted: impl Fn(f32) -> bool) -> usize {
    let mut x = start;
    // Whole blocks first: background is the bulk of most images.
    while let Some(block) = line.get(x..x + LINES) {
        if block.iter().fold(false, |found, &v| found | wanted(v)) {
            break;
        }
        x += LINES;
    }
    line[x..]
        .iter()
        .position(|&v| wanted(v))
        .map_or(line.len(), |i| x + i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Dimension, IxDyn};

    fn brute(mask: &ArrayD<u8>, sampling: &[f64]) -> ArrayD<f32> {
        let holes: Vec<IxDyn> = mask
            .indexed_iter()
            .filter(|(_, m)| **m == 0)
            .map(|(i, _)| i)
            .collect();
        Array::from_shape_fn(mask.raw_dim(), |i| {
            let squares = holes.iter().map(|hole| {
                let axes = hole.slice().iter().zip(i.slice()).zip(sampling);
                axes.map(|((&a, &b), s)| (a.abs_diff(b) as f64 * s).powi(2))
                    .sum::<f64>()
            });
            squares.fold(f64::INFINITY, f64::min) as f32
        })
    }

    /// A mask without a random generator: not 0 where a scrambled index is above a limit.
    fn scrambled(shape: &[usize], limit: u32) -> ArrayD<u8> {
        let mut k = 0u32;
        Array::from_shape_simple_fn(shape, || {
            k += 1;
            let mixed = k.wrapping_mul(2_654_435_761).rotate_left(13);
            u8::from(mixed.wrapping_mul(2_246_822_519) >> 16 >= limit)
        })
    }

    #[test]
    fn equals_the_definition() {
        for (shape, sampling) in [
            (vec![70, 45], vec![1.0, 1.0]),
            (vec![33, 64], vec![0.5, 2.0]),
            (vec![9, 12, 17], vec![1.0, 1.0, 1.0]),
            (vec![6, 7, 40], vec![3.0, 0.7, 1.3]),
        ] {
            for limit in [60_000, 20_000, 600, 20] {
                let mask = scrambled(&shape, limit);
                let expected = brute(&mask, &sampling);
                for threads in [1, 3] {
                    let got = distance_transform(mask.view(), &sampling, true, threads).unwrap();
                    for (&g, &e) in got.iter().zip(&expected) {
                        assert!(g == e || (g - e).abs() <= e * 1e-6, "{g} {e}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_background_it_is_infinite() {
        let mask = ArrayD::from_elem(IxDyn(&[3, 40]), 1);
        let out = distance_transform(mask.view(), &[1.0, 1.0], false, 1).unwrap();
        assert!(out.iter().all(|v| v.is_infinite()));
        assert!(distance_transform(mask.view(), &[1.0], false, 1).is_err());
    }
}
