//! Projections of a volume: central slices of its Fourier transform.

use multiversion::multiversion;
use rustfft::num_complex::Complex;

use super::fourier_volume::{FourierVolume, sample_all};
use super::half_disc::HalfDisc;
use super::tiles::tile_order;
use super::view::View;
use crate::error::Result;
use crate::{fourier, parallel};

type C = Complex<f32>;

/// Most images whose samples are taken together: the grid is read once for all of them.
const GROUP: usize = 128;

/// Side of the largest box whose grid stays in the cache.
const SMALL: usize = 32;

/// Places of a view's samples in the volume, column after column as in `HalfDisc`.
#[multiversion(targets("x86_64+avx2+fma"))]
fn add_places(disc: &HalfDisc, view: View, places: &mut Vec<[f32; 3]>) {
    let [ux, uy] = view.axes();
    for &(kx, first, last) in &disc.columns {
        let f = kx as f32;
        let x = [ux[0] * f, ux[1] * f, ux[2] * f];
        for ky in first..=last {
            let f = ky as f32;
            places.push([x[0] + uy[0] * f, x[1] + uy[1] * f, x[2] + uy[2] * f]);
        }
    }
}

/// Samples of the volume for every view, view after view.
fn slices(volume: FourierVolume<'_>, disc: &HalfDisc, views: &[View]) -> Vec<C> {
    let n = volume.n();
    let mut places = Vec::with_capacity(disc.shells.len() * views.len());
    for &view in views {
        add_places(disc, view, &mut places);
    }
    let mut values = vec![C::default(); places.len()];
    if n <= SMALL {
        sample_all(volume, &places, &mut values);
        return values;
    }
    let order = tile_order(&places, n);
    let sorted: Vec<_> = order.iter().map(|&i| places[i as usize]).collect();
    let mut sampled = vec![C::default(); places.len()];
    sample_all(volume, &sorted, &mut sampled);
    for (&i, value) in order.iter().zip(sampled) {
        values[i as usize] = value;
    }
    values
}

/// Projections, images of n × n after one another in `out`.
pub fn project(
    volume: FourierVolume<'_>,
    views: &[View],
    out: &mut [f32],
    threads: usize,
) -> Result<()> {
    let n = volume.n();
    let disc = HalfDisc::new(n);
    let (along_y, along_x) = (fourier::inverse(n), fourier::real_inverse(n));
    let length = along_y
        .get_inplace_scratch_len()
        .max(along_x.get_scratch_len());
    // Every sample stands for itself, so groups may depend on the number of threads and results do not.
    let group = views.len().div_ceil(threads.max(1)).clamp(1, GROUP);
    parallel::for_each_block(threads, out, group * n * n, |i, images| {
        let views = &views[i * group..i * group + images.len() / (n * n)];
        let samples = slices(volume, &disc, views);
        let mut columns = vec![C::default(); n * (n / 2 + 1)];
        let mut scratch = vec![C::default(); length];
        let mut row = vec![C::default(); n / 2 + 1];
        for ((image, &view), samples) in images
            .chunks_exact_mut(n * n)
            .zip(views)
            .zip(samples.chunks_exact(disc.shells.len()))
        {
            columns.fill(C::default());
            disc.place(samples, view, &mut columns);
            along_y.process_with_scratch(&mut columns[..n * n / 2], &mut scratch);
            for (y, pixels) in image.chunks_exact_mut(n).enumerate() {
                for (kx, value) in row.iter_mut().enumerate() {
                    *value = columns[kx * n + y];
                }
                row[0].im = 0.0;
                along_x
                    .process_with_scratch(&mut row, pixels, &mut scratch)
                    .expect("buffers of the plan's lengths");
            }
        }
    });
    Ok(())
}
