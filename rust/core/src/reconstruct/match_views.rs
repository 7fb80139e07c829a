//! Best in-plane angle and shift of every image in every view, from the spectra of their rings.
//!
//! An image turned by a has its rings displaced by a, so the correlation over all angles is the Fourier series of the products
//! of harmonics, summed over the rings. The mirrored view has the harmonics (−1)ᵏ conj: it shares the products.

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, ArrayView4, Axis};
use rustfft::num_complex::Complex;

use super::angular_series::{Lanes, Products, Series, multiply, packed, peak};
use super::paraboloid::{Around, surroundings, to_top};
use crate::error::{Error, Result};
use crate::parallel;

/// What is looked for.
pub struct Search<'a> {
    /// Angles of a period.
    pub n_angles: usize,
    /// Whether the harmonics are the even ones only: the period is half a turn.
    pub centrosymmetric: bool,
    /// Whether mirrored views follow the views.
    pub mirror: bool,
    /// Whether to go between the angles and shifts.
    pub interpolate: bool,
    /// Shifts of the images' spectra (shift, 2) [px].
    pub shifts: ArrayView2<'a, f32>,
    /// Views to try (image, candidate), −1 for none; without, all.
    pub candidates: Option<ArrayView2<'a, i64>>,
}

/// The best of every (image, view) or (image, candidate).
pub struct Matches {
    /// Correlation −1 … 1; −∞ where there is no candidate.
    pub scores: Array2<f32>,
    /// In-plane angle from the view to the image [rad].
    pub angles: Array2<f32>,
    /// Shift: its place in the list.
    pub shift_indices: Array2<i32>,
    /// What to add to that shift (x, y) [px].
    pub offsets: Array3<f32>,
}

/// The best of one pair.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    angle: f32,
    shift: i32,
    offset: [f32; 2],
}

/// Matches the images' spectra (image, shift, ring, harmonic) with the views' (view, ring, harmonic).
pub fn match_views(
    images: ArrayView4<'_, Complex<f32>>,
    views: ArrayView3<'_, Complex<f32>>,
    search: &Search<'_>,
    threads: usize,
) -> Result<Matches> {
    let (n_images, n_shifts, n_rings, harmonics) = images.dim();
    let n_views = views.len_of(Axis(0));
    let expected = [n_views, n_rings, search.n_angles / 2 + 1];
    if views.shape() != expected || harmonics != expected[2] || search.n_angles % 2 == 1 {
        return Err(Error::ShapeMismatch {
            argument: "views",
            expected: expected.to_vec(),
            found: views.shape().to_vec(),
        });
    }
    if search.shifts.dim() != (n_shifts, 2) {
        return Err(Error::ShapeMismatch {
            argument: "shifts",
            expected: vec![n_shifts, 2],
            found: search.shifts.shape().to_vec(),
        });
    }
    let all_views = n_views * if search.mirror { 2 } else { 1 };
    if let Some(candidates) = search.candidates {
        if candidates.nrows() != n_images {
            return Err(Error::ShapeMismatch {
                argument: "candidates",
                expected: vec![n_images, candidates.ncols()],
                found: candidates.shape().to_vec(),
            });
        }
        if let Some(wrong) = candidates.iter().find(|&&c| c >= all_views as i64) {
            return Err(Error::invalid(
                "candidates",
                "indices of views, or -1",
                wrong,
            ));
        }
    }
    let columns = search.candidates.map_or(all_views, |c| c.ncols());
    let views: Vec<Lanes> = views.outer_iter().flat_map(packed).collect();
    let series = Series::new(search.n_angles, search.centrosymmetric);
    let surroundings = surroundings(search.shifts);
    let rows = parallel::map(threads, n_images, |i| {
        let image = images.index_axis(Axis(0), i);
        let candidates = search.candidates.map(|c| c.index_axis_move(Axis(0), i));
        match_image(
            image,
            &views,
            n_views,
            candidates,
            search,
            &series,
            &surroundings,
        )
    });
    let best = |i: usize, j: usize| rows[i][j];
    let shape = (n_images, columns);
    Ok(Matches {
        scores: Array2::from_shape_fn(shape, |(i, j)| best(i, j).score),
        angles: Array2::from_shape_fn(shape, |(i, j)| best(i, j).angle),
        shift_indices: Array2::from_shape_fn(shape, |(i, j)| best(i, j).shift),
        offsets: Array3::from_shape_fn((n_images, columns, 2), |(i, j, k)| best(i, j).offset[k]),
    })
}

/// All pairs of one image.
fn match_image(
    image: ArrayView3<'_, Complex<f32>>,
    views: &[Lanes],
    n_views: usize,
    candidates: Option<ArrayView1<'_, i64>>,
    search: &Search<'_>,
    series: &Series,
    surroundings: &[Around],
) -> Vec<Best> {
    let (n_shifts, rings, _) = image.dim();
    let blocks = series.harmonic_blocks();
    let packed: Vec<Lanes> = image.outer_iter().flat_map(packed).collect();
    let stride = blocks * rings * 2;
    let mut products = vec![Products::default(); n_shifts * blocks];
    let mut values = series.workspace();
    let mut scores = vec![0.0; n_shifts];
    let mut place = vec![0; n_shifts];
    let nothing = Best {
        score: f32::NEG_INFINITY,
        angle: 0.0,
        shift: 0,
        offset: [0.0; 2],
    };
    let all_views = n_views * if search.mirror { 2 } else { 1 };
    let columns = candidates.map_or(all_views, |c| c.len());
    let mut out = vec![nothing; columns];
    let mut pair = |view: usize, mirrors: &[bool], place_of: &dyn Fn(bool) -> usize| {
        let spectrum = &views[view * stride..(view + 1) * stride];
        multiply(&packed, spectrum, rings, blocks, &mut products);
        for &mirrored in mirrors {
            for (shift, sums) in products.chunks_mut(blocks).enumerate() {
                (scores[shift], place[shift]) = peak(sums, mirrored, series, &mut values);
            }
            let shift = first_largest(&scores);
            let mut best = Best {
                score: scores[shift],
                angle: place[shift] as f32,
                shift: shift as i32,
                offset: [0.0; 2],
            };
            if search.interpolate {
                let around = &surroundings[shift];
                let (step, gain) = to_top(&products, shift, mirrored, place[shift], series, around);
                best.angle += step[0];
                best.offset = [step[1], step[2]];
                best.score = (best.score + gain).min(1.0);
            }
            let period = if search.centrosymmetric { 0.5 } else { 1.0 } * std::f32::consts::TAU;
            best.angle *= period / series.n_angles as f32;
            out[place_of(mirrored)] = best;
        }
    };
    match candidates {
        None => {
            let mirrors: &[bool] = if search.mirror {
                &[false, true]
            } else {
                &[false]
            };
            for view in 0..n_views {
                pair(view, mirrors, &|mirrored| {
                    view + usize::from(mirrored) * n_views
                });
            }
        }
        Some(candidates) => {
            for (column, &candidate) in candidates.iter().enumerate() {
                if let Ok(candidate) = usize::try_from(candidate) {
                    pair(candidate % n_views, &[candidate >= n_views], &|_| column);
                }
            }
        }
    }
    out
}

fn first_largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = i;
        }
    }
    best
}
