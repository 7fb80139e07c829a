//! Insertion of images into Fourier space, the adjoint of projection: gridding with a Kaiser–Bessel kernel.

use multiversion::multiversion;
use ndarray::{ArrayView2, ArrayView3, Axis};
use rustfft::num_complex::Complex;

use super::fourier_volume::integer;
use super::half_disc::HalfDisc;
use super::kaiser_bessel::{PADDING, WIDTH, weights as taps};
use super::padded_transform::grid_shape;
use super::view::View;

use crate::error::{Error, Result};
use crate::{fourier, parallel};

type C = Complex<f32>;

/// Grid planes a task fills: enough that few samples reach into two, few enough that they stay in the cache.
const SLAB: usize = 16;

/// Grid rows of a strip.
const STRIP: usize = 8;

/// A 3 × 3 matrix.
pub type Matrix = [[f64; 3]; 3];

/// Weighted transforms of the images on the half disc, image after image, and the weights.
struct Spectra {
    values: Vec<C>,
    densities: Vec<f32>,
}

impl Spectra {
    fn new(
        images: ArrayView3<f32>,
        views: &[View],
        weights: Option<ArrayView2<f32>>,
        disc: &HalfDisc,
        threads: usize,
    ) -> Self {
        let per_image = disc.shells.len();
        let mut values = vec![C::default(); per_image * views.len()];
        let mut densities = vec![0.0; per_image * views.len()];
        let items: Vec<_> = values
            .chunks_exact_mut(per_image)
            .zip(densities.chunks_exact_mut(per_image))
            .collect();
        parallel::for_each(threads, items, |i, (values, densities)| {
            let image = images.index_axis(Axis(0), i);
            let weights = weights.as_ref().map(|w| w.row(i).to_vec());
            spectrum(image, views[i], weights, disc, values, densities);
        });
        Self { values, densities }
    }
}

/// Transform of one image, moved back by its shift, times its weight; and the weights.
fn spectrum(
    image: ArrayView2<f32>,
    view: View,
    weights: Option<Vec<f32>>,
    disc: &HalfDisc,
    values: &mut [C],
    densities: &mut [f32],
) {
    let n = image.dim().0;
    let rows = fourier::real_forward(n);
    let plan = fourier::forward(n);
    let length = plan.get_inplace_scratch_len().max(rows.get_scratch_len());
    let mut scratch = vec![C::default(); length];
    let mut work = vec![0.0; n];
    let mut row = vec![C::default(); n / 2 + 1];
    let mut transform = vec![C::default(); n * n / 2];
    for (y, pixels) in image.rows().into_iter().enumerate() {
        for (to, from) in work.iter_mut().zip(pixels) {
            *to = *from;
        }
        rows.process_with_scratch(&mut work, &mut row, &mut scratch)
            .expect("buffers of the plan's lengths");
        for kx in 0..n / 2 {
            transform[kx * n + y] = row[kx];
        }
    }
    plan.process_with_scratch(&mut transform, &mut scratch);
    let amplitude = view.amplitude() as f32;
    disc.for_each(view, |sample, at, phase| {
        let weight = weights
            .as_ref()
            .map_or(amplitude, |w| amplitude * w[disc.shells[sample]]);
        values[sample] = transform[at] * (phase.conj() * weight);
        densities[sample] = weight * amplitude;
    });
    // The mean is its own mirror image, which comes on top.
    values[0] *= 0.5;
    densities[0] *= 0.5;
}

/// A sample on its way into the grid.
#[derive(Clone, Copy, Default)]
struct Sample {
    /// Place (x, y, z) in grid steps, z ≥ 0.
    place: [f32; 3],
    value: C,
    density: f32,
}

/// Samples whose kernels reach into the planes `planes` (z + 1 of the grid), in order of z,
/// then of strips along y, then of image: an order that does not depend on `planes`.
#[multiversion(targets("x86_64+avx2+fma"))]
fn samples_of(
    spectra: &Spectra,
    disc: &HalfDisc,
    axes: &[[[f32; 3]; 2]],
    copies: usize,
    n: usize,
    planes: std::ops::Range<usize>,
) -> Vec<Sample> {
    // The taps of a sample lie in the planes floor(z) … floor(z) + 3.
    let first = (planes.start + 1).saturating_sub(WIDTH);
    let layers = planes.end - first;
    // Within a layer in strips along y, so that samples that follow each other share grid points.
    let strips = 2 * n / STRIP + 1;
    let bins = layers * strips;
    let inside = (n * n) as f32;
    let mut starts = vec![0usize; bins + 1];
    let mut out = Vec::new();
    // Counted first, then placed.
    for counting in [true, false] {
        if !counting {
            let mut sum = 0;
            for start in &mut starts {
                sum += std::mem::replace(start, sum);
            }
            out = vec![Sample::default(); sum];
        }
        for (i, [ux, uy]) in axes.iter().enumerate() {
            let mut index = i / copies * disc.shells.len();
            for &(kx, low, high) in &disc.columns {
                let count = (high - low + 1) as usize;
                let from = index;
                index += count;
                let f = kx as f32;
                let x = [ux[0] * f, ux[1] * f, ux[2] * f];
                let ends = [low, high].map(|ky| x[2] + uy[2] * ky as f32);
                let farthest = ends[0].abs().max(ends[1].abs()) * PADDING as f32;
                let nearest = if ends[0] * ends[1] <= 0.0 {
                    0.0
                } else {
                    ends[0].abs().min(ends[1].abs()) * PADDING as f32
                };
                if farthest + 1.0 < first as f32 || nearest - 1.0 > planes.end as f32 {
                    continue;
                }
                for s in 0..count {
                    let f = (low + s as isize) as f32;
                    let k = [x[0] + uy[0] * f, x[1] + uy[1] * f, x[2] + uy[2] * f];
                    let mirrored = k[2] < 0.0;
                    let sign = if mirrored { -1.0 } else { 1.0 } * PADDING as f32;
                    let place = [k[0] * sign, k[1] * sign, k[2] * sign];
                    let layer = (place[2] as usize).wrapping_sub(first);
                    if layer >= layers {
                        continue;
                    }
                    let density = spectra.densities[from + s];
                    let square = place[0] * place[0] + place[1] * place[1] + place[2] * place[2];
                    if density == 0.0 || square >= inside {
                        continue;
                    }
                    let bin = layer * strips + (place[1] + n as f32) as usize / STRIP;
                    if counting {
                        starts[bin] += 1;
                        continue;
                    }
                    let value = spectra.values[from + s];
                    out[starts[bin]] = Sample {
                        place,
                        value: if mirrored { value.conj() } else { value },
                        density,
                    };
                    starts[bin] += 1;
                }
            }
        }
    }
    out
}

/// Spreads samples over the planes that begin with `first`.
#[multiversion(targets("x86_64+avx2+fma"))]
fn spread(samples: &[Sample], n: usize, first: usize, numerator: &mut [C], density: &mut [f32]) {
    let (_, ny, nx) = grid_shape(n);
    let planes = numerator.len() / (ny * nx);
    for sample in samples {
        let [x, y, z] = sample.place;
        let below = [x.floor(), y.floor(), z.floor()];
        let wx = taps(sample.place[0] - below[0]);
        let wy = taps(sample.place[1] - below[1]);
        let wz = taps(sample.place[2] - below[2]);
        let (mut along, mut dense) = ([C::default(); WIDTH], [0.0; WIDTH]);
        for x in 0..WIDTH {
            along[x] = sample.value * wx[x];
            dense[x] = sample.density * wx[x];
        }
        let corner =
            (integer(below[1]) + n as i32) as usize * nx + (integer(below[0]) + n as i32) as usize;
        let layer = integer(below[2]) as usize;
        for tz in 0..WIDTH {
            let plane = (layer + tz).wrapping_sub(first);
            if plane >= planes {
                continue;
            }
            for ty in 0..WIDTH {
                let w = wz[tz] * wy[ty];
                let start = plane * ny * nx + corner + ty * nx;
                let row: &mut [C; WIDTH] = numerator[start..start + WIDTH]
                    .first_chunk_mut()
                    .expect("four points");
                for x in 0..WIDTH {
                    row[x] += along[x] * w;
                }
                let row: &mut [f32; WIDTH] = density[start..start + WIDTH]
                    .first_chunk_mut()
                    .expect("four points");
                for x in 0..WIDTH {
                    row[x] += dense[x] * w;
                }
            }
        }
    }
}

/// Adds images to zeroed grids of the shape `grid_shape(n)`, each once for every matrix of `copies` that turns the volume.
///
/// `numerator` becomes the sum of weighted samples, `density` that of the weights, each times the kernel; both are complete for
/// z ≥ 0, and their plane z = −1 is 0.
pub fn insert(
    images: ArrayView3<f32>,
    views: &[View],
    weights: Option<ArrayView2<f32>>,
    copies: &[Matrix],
    numerator: &mut [C],
    density: &mut [f32],
    threads: usize,
) -> Result<()> {
    let n = images.dim().1;
    if images.dim() != (views.len(), n, n) || n < 2 || n % 2 == 1 {
        return Err(Error::ShapeMismatch {
            argument: "images",
            expected: vec![views.len(), n + n % 2, n + n % 2],
            found: images.shape().to_vec(),
        });
    }
    if let Some(w) = &weights
        && w.dim() != (views.len(), n / 2)
    {
        return Err(Error::ShapeMismatch {
            argument: "weights",
            expected: vec![views.len(), n / 2],
            found: w.shape().to_vec(),
        });
    }
    let disc = HalfDisc::new(n);
    let spectra = Spectra::new(images, views, weights, &disc, threads);
    let axes: Vec<_> = views
        .iter()
        .flat_map(|view| copies.iter().map(|copy| turned(*view, copy).axes()))
        .collect();
    let (_, ny, nx) = grid_shape(n);
    let block = SLAB * ny * nx;
    let slabs: Vec<_> = numerator
        .chunks_mut(block)
        .zip(density.chunks_mut(block))
        .collect();
    parallel::for_each(threads, slabs, |slab, (numerator, density)| {
        let first = slab * SLAB;
        let planes = first..first + numerator.len() / (ny * nx);
        let samples = samples_of(&spectra, &disc, &axes, copies.len(), n, planes);
        spread(&samples, n, first, numerator, density);
    });
    add_mirror(numerator, density, ny * nx);
    Ok(())
}

/// The view of the volume turned by `copy`: R copy.
fn turned(view: View, copy: &Matrix) -> View {
    let detector = view
        .detector
        .map(|row| std::array::from_fn(|c| (0..3).map(|k| row[k] * copy[k][c]).sum()));
    View { detector, ..view }
}

/// Adds F(−k) = conj F(k) where it reaches into the stored half: z = 0 and 1.
fn add_mirror(numerator: &mut [C], density: &mut [f32], plane: usize) {
    let (margin, rest) = numerator.split_at_mut(plane);
    let (zero, rest) = rest.split_at_mut(plane);
    for (value, mate) in rest[..plane].iter_mut().zip(margin.iter().rev()) {
        *value += mate.conj();
    }
    margin.fill(C::default());
    for i in 0..plane.div_ceil(2) {
        let sum = zero[i] + zero[plane - 1 - i].conj();
        zero[i] = sum;
        zero[plane - 1 - i] = sum.conj();
    }
    let (margin, rest) = density.split_at_mut(plane);
    let (zero, rest) = rest.split_at_mut(plane);
    for (value, mate) in rest[..plane].iter_mut().zip(margin.iter().rev()) {
        *value += mate;
    }
    margin.fill(0.0);
    for i in 0..plane.div_ceil(2) {
        let sum = zero[i] + zero[plane - 1 - i];
        zero[i] = sum;
        zero[plane - 1 - i] = sum;
    }
}
