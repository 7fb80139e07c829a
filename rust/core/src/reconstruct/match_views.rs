//! Best in-plane angle and shift of every image in every view, from the spectra of their rings.
//!
//! An image turned by a has its rings displaced by a, so the correlation over all angles is the Fourier series of the products
//! of harmonics, summed over the rings. The mirrored view has the harmonics (−1)ᵏ conj: it shares the products.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, ArrayView4, Axis};
use rustfft::num_complex::Complex;

use crate::error::{Error, Result};
use crate::parallel;

/// Numbers worked on together.
const LANES: usize = 8;

/// Shifts that go over a view together: as many as fit the registers.
const SHIFTS_AT_ONCE: usize = 3;

type Lanes = [f32; LANES];

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
    let series = Series::new(search);
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

/// Per block of harmonics and ring: real parts, imaginary parts. Blocks are filled up with zeros.
fn packed(spectrum: ArrayView2<'_, Complex<f32>>) -> Vec<Lanes> {
    let (rings, harmonics) = spectrum.dim();
    let blocks = harmonics.div_ceil(LANES);
    let mut out = vec![[0.0; LANES]; blocks * rings * 2];
    for ((ring, k), value) in spectrum.indexed_iter() {
        let at = (k / LANES * rings + ring) * 2;
        out[at][k % LANES] = value.re;
        out[at + 1][k % LANES] = value.im;
    }
    out
}

/// Shifts around a shift, by their places in the list.
struct Around {
    /// Step [px] and the neighbours before and after, along x and y; None without either of them.
    along: [Option<(f32, usize, usize)>; 2],
    /// Neighbours (+, +), (−, −), (+, −), (−, +).
    diagonal: Option<[usize; 4]>,
}

fn surroundings(shifts: ArrayView2<'_, f32>) -> Vec<Around> {
    let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
    let all: Vec<[f32; 2]> = shifts.rows().into_iter().map(|s| [s[0], s[1]]).collect();
    let around = |own: [f32; 2]| {
        let at = |dx: f32, dy: f32| {
            let wanted = [own[0] + dx, own[1] + dy];
            all.iter()
                .position(|s| near(s[0], wanted[0]) && near(s[1], wanted[1]))
        };
        let along = [0, 1].map(|axis| {
            let step = all
                .iter()
                .filter(|s| near(s[1 - axis], own[1 - axis]) && s[axis] > own[axis] + 1e-4)
                .map(|s| s[axis] - own[axis])
                .fold(f32::INFINITY, f32::min);
            let d = if axis == 0 { [step, 0.0] } else { [0.0, step] };
            Some((step, at(-d[0], -d[1])?, at(d[0], d[1])?))
        });
        let diagonal = match along {
            [Some((x, ..)), Some((y, ..))] => [(x, y), (-x, -y), (x, -y), (-x, y)]
                .into_iter()
                .map(|(dx, dy)| at(dx, dy))
                .collect::<Option<Vec<usize>>>()
                .and_then(|places| places.try_into().ok()),
            _ => None,
        };
        Around { along, diagonal }
    };
    all.iter().map(|&own| around(own)).collect()
}

/// Tables for the sum of a real Fourier series at all angles.
///
/// The angles a, −a, ½ − a and ½ + a of a period share their cosines and sines up to signs that differ between even and odd
/// harmonics: only the first quarter is summed.
struct Series {
    n_angles: usize,
    harmonics: usize,
    /// Blocks of angles of the first quarter; lanes beyond repeat angle 0.
    blocks: usize,
    /// [block][harmonic](cosines, sines) over the lanes of angles.
    quarter: Vec<(Lanes, Lanes)>,
    /// [angle][block of harmonics](cosines, sines) over the lanes of harmonics.
    full: Vec<(Lanes, Lanes)>,
    /// (−1)ᵏ of the mirrored view, for the harmonics that are kept.
    signs: Vec<Lanes>,
}

impl Series {
    fn new(search: &Search<'_>) -> Self {
        let n = search.n_angles;
        let harmonics = n / 2 + 1;
        let in_quarter = n / 4 + 1;
        let blocks = in_quarter.div_ceil(LANES);
        let wave = |angle: usize, k: usize| {
            let turns = (angle * k % n) as f64 / n as f64;
            let (sin, cos) = (std::f64::consts::TAU * turns).sin_cos();
            (cos as f32, sin as f32)
        };
        let lanes = |pair: &dyn Fn(usize) -> (f32, f32)| {
            let pairs: [(f32, f32); LANES] = std::array::from_fn(pair);
            (pairs.map(|p| p.0), pairs.map(|p| p.1))
        };
        let quarter = (0..blocks)
            .flat_map(|block| (0..harmonics).map(move |k| (block, k)))
            .map(|(block, k)| {
                lanes(&|lane| {
                    let angle = block * LANES + lane;
                    wave(if angle < in_quarter { angle } else { 0 }, k)
                })
            })
            .collect();
        let full = (0..n)
            .flat_map(|angle| (0..harmonics.div_ceil(LANES)).map(move |block| (angle, block)))
            .map(|(angle, block)| lanes(&|lane| wave(angle, block * LANES + lane)))
            .collect();
        let signs = (0..harmonics.div_ceil(LANES))
            .map(|block| {
                std::array::from_fn(|lane| {
                    let odd = (block * LANES + lane) % 2 == 1;
                    if odd && !search.centrosymmetric {
                        -1.0
                    } else {
                        1.0
                    }
                })
            })
            .collect();
        Self {
            n_angles: n,
            harmonics,
            blocks,
            quarter,
            full,
            signs,
        }
    }

    /// The angle of a place in what `peaks` writes.
    fn angle(&self, place: usize) -> usize {
        let (quarter, lane) = (place / LANES % 4, place % LANES);
        let a = place / (4 * LANES) * LANES + lane;
        let a = if a <= self.n_angles / 4 { a } else { 0 };
        match quarter {
            0 => a,
            1 => (self.n_angles - a) % self.n_angles,
            2 => self.n_angles / 2 - a,
            _ => (self.n_angles / 2 + a) % self.n_angles,
        }
    }
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
    let (n_shifts, rings, harmonics) = image.dim();
    let blocks = harmonics.div_ceil(LANES);
    let packed: Vec<Lanes> = image.outer_iter().flat_map(packed).collect();
    let stride = blocks * rings * 2;
    let mut products = vec![Products::default(); n_shifts * blocks];
    let mut values = vec![[0.0; LANES]; 4 * series.blocks];
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
                let (step, gain) = newton(&products, shift, mirrored, place[shift], series, around);
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

/// Sums over the rings of products of an image's (a + ib) and a view's (c + id) harmonics, for a block of harmonics.
#[derive(Clone, Copy, Default)]
struct Products {
    ac: Lanes,
    bd: Lanes,
    bc: Lanes,
    ad: Lanes,
}

impl Products {
    /// Harmonics of the correlation over the angle.
    #[inline(always)]
    fn harmonics(&self, mirrored: bool, signs: &Lanes) -> (Lanes, Lanes) {
        if mirrored {
            (
                std::array::from_fn(|i| (self.ac[i] - self.bd[i]) * signs[i]),
                std::array::from_fn(|i| (self.bc[i] + self.ad[i]) * signs[i]),
            )
        } else {
            (
                std::array::from_fn(|i| self.ac[i] + self.bd[i]),
                std::array::from_fn(|i| self.bc[i] - self.ad[i]),
            )
        }
    }
}

#[inline(always)]
fn add_product<const FUSED: bool>(sum: &mut Lanes, a: &Lanes, b: &Lanes) {
    for i in 0..LANES {
        sum[i] = if FUSED {
            a[i].mul_add(b[i], sum[i])
        } else {
            sum[i] + a[i] * b[i]
        };
    }
}

/// `Products` of every shift and block.
#[multiversion(targets("x86_64+avx2+fma"))]
fn multiply(image: &[Lanes], view: &[Lanes], rings: usize, blocks: usize, out: &mut [Products]) {
    if target_cfg_f!(target_feature = "fma") {
        multiply_lanes::<true>(image, view, rings, blocks, out);
    } else {
        multiply_lanes::<false>(image, view, rings, blocks, out);
    }
}

#[inline(always)]
fn multiply_lanes<const FUSED: bool>(
    image: &[Lanes],
    view: &[Lanes],
    rings: usize,
    blocks: usize,
    out: &mut [Products],
) {
    let stride = blocks * rings * 2;
    let n_shifts = out.len() / blocks;
    let mut first = 0;
    while first < n_shifts {
        let together = (n_shifts - first).min(SHIFTS_AT_ONCE);
        let images = &image[first * stride..(first + together) * stride];
        let out = &mut out[first * blocks..(first + together) * blocks];
        match together {
            1 => multiply_some::<FUSED, 1>(images, view, rings, blocks, out),
            2 => multiply_some::<FUSED, 2>(images, view, rings, blocks, out),
            _ => multiply_some::<FUSED, SHIFTS_AT_ONCE>(images, view, rings, blocks, out),
        }
        first += together;
    }
}

#[inline(always)]
fn multiply_some<const FUSED: bool, const SHIFTS: usize>(
    image: &[Lanes],
    view: &[Lanes],
    rings: usize,
    blocks: usize,
    out: &mut [Products],
) {
    let stride = blocks * rings * 2;
    for block in 0..blocks {
        let mut sums = [Products::default(); SHIFTS];
        let span = block * rings * 2..(block + 1) * rings * 2;
        let view = &view[span.clone()];
        let images: [&[Lanes]; SHIFTS] =
            std::array::from_fn(|s| &image[s * stride + span.start..][..view.len()]);
        for ring in 0..rings {
            let (c, d) = (&view[2 * ring], &view[2 * ring + 1]);
            for s in 0..SHIFTS {
                let (a, b) = (&images[s][2 * ring], &images[s][2 * ring + 1]);
                add_product::<FUSED>(&mut sums[s].ac, a, c);
                add_product::<FUSED>(&mut sums[s].bd, b, d);
                add_product::<FUSED>(&mut sums[s].bc, b, c);
                add_product::<FUSED>(&mut sums[s].ad, a, d);
            }
        }
        for s in 0..SHIFTS {
            out[s * blocks + block] = sums[s];
        }
    }
}

/// Largest value of the series over all angles, and its angle.
#[multiversion(targets("x86_64+avx2+fma"))]
fn peak(sums: &[Products], mirrored: bool, series: &Series, values: &mut [Lanes]) -> (f32, usize) {
    if target_cfg_f!(target_feature = "fma") {
        peak_lanes::<true>(sums, mirrored, series, values)
    } else {
        peak_lanes::<false>(sums, mirrored, series, values)
    }
}

#[inline(always)]
fn peak_lanes<const FUSED: bool>(
    sums: &[Products],
    mirrored: bool,
    series: &Series,
    values: &mut [Lanes],
) -> (f32, usize) {
    let mut largest = [f32::NEG_INFINITY; LANES];
    for block in 0..series.blocks {
        let tables = &series.quarter[block * series.harmonics..(block + 1) * series.harmonics];
        // Even and odd harmonics: sums of cosines, sums of sines.
        let mut cosines = [[0.0; LANES]; 2];
        let mut sines = [[0.0; LANES]; 2];
        for (chunk, (table, sums)) in tables.chunks(LANES).zip(sums).enumerate() {
            let (re, im) = sums.harmonics(mirrored, &series.signs[chunk]);
            for (k, (cos, sin)) in table.iter().enumerate() {
                add_product::<FUSED>(&mut cosines[k % 2], &[re[k]; LANES], cos);
                add_product::<FUSED>(&mut sines[k % 2], &[im[k]; LANES], sin);
            }
        }
        let out: &mut [Lanes; 4] = values[4 * block..]
            .first_chunk_mut()
            .expect("four quarters");
        for i in 0..LANES {
            let (even, odd) = (cosines[0][i] + cosines[1][i], cosines[0][i] - cosines[1][i]);
            let (sum, difference) = (sines[0][i] + sines[1][i], sines[0][i] - sines[1][i]);
            out[0][i] = even - sum;
            out[1][i] = even + sum;
            out[2][i] = odd + difference;
            out[3][i] = odd - difference;
        }
        for quarter in out.iter() {
            for i in 0..LANES {
                largest[i] = if quarter[i] > largest[i] {
                    quarter[i]
                } else {
                    largest[i]
                };
            }
        }
    }
    let top = largest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let place = values.as_flattened().iter().position(|&v| v == top);
    (top, series.angle(place.unwrap_or(0)))
}

/// Value, slope and curvature of the series at an angle, per radian of its period.
#[multiversion(targets("x86_64+avx2+fma"))]
fn derivatives(sums: &[Products], mirrored: bool, angle: usize, series: &Series) -> [f32; 3] {
    let blocks = sums.len();
    let waves = &series.full[angle * blocks..(angle + 1) * blocks];
    let mut out = [[0.0; LANES]; 3];
    for (block, (sums, (cos, sin))) in sums.iter().zip(waves).enumerate() {
        let (re, im) = sums.harmonics(mirrored, &series.signs[block]);
        for i in 0..LANES {
            let order = (block * LANES + i) as f32;
            let value = re[i] * cos[i] - im[i] * sin[i];
            out[0][i] += value;
            out[1][i] -= order * (re[i] * sin[i] + im[i] * cos[i]);
            out[2][i] -= order * order * value;
        }
    }
    out.map(|lanes| lanes.iter().sum())
}

/// From the best angle and shift to the top of the paraboloid there: (steps of the angle, shift x and y [px]; gain).
///
/// Angle and shift go together: a lopsided particle that is moved a little looks as if it were turned.
fn newton(
    products: &[Products],
    shift: usize,
    mirrored: bool,
    angle: usize,
    series: &Series,
    around: &Around,
) -> ([f32; 3], f32) {
    let blocks = series.signs.len();
    let at = |shift: usize| {
        derivatives(
            &products[shift * blocks..(shift + 1) * blocks],
            mirrored,
            angle,
            series,
        )
    };
    // In steps of the angle and of the shifts.
    let turn = std::f32::consts::TAU / series.n_angles as f32;
    let here = at(shift);
    let mut slope = [here[1] * turn, 0.0, 0.0];
    let mut curved = [[0.0; 3]; 3];
    curved[0][0] = here[2] * turn * turn;
    for (axis, along) in (1..).zip(around.along) {
        let Some((_, before, after)) = along else {
            // Any curvature keeps this one where it is.
            curved[axis][axis] = -1.0;
            continue;
        };
        let (before, after) = (at(before), at(after));
        slope[axis] = 0.5 * (after[0] - before[0]);
        curved[axis][axis] = after[0] - 2.0 * here[0] + before[0];
        curved[0][axis] = 0.5 * (after[1] - before[1]) * turn;
        curved[axis][0] = curved[0][axis];
    }
    if let Some(places) = around.diagonal {
        let [a, b, c, d] = places.map(|place| at(place)[0]);
        curved[1][2] = 0.25 * (a + b - c - d);
        curved[2][1] = curved[1][2];
    }
    let top = top(slope, curved).unwrap_or_else(|| {
        // A saddle: each by itself.
        [0, 1, 2].map(|i| {
            if curved[i][i] < 0.0 {
                -slope[i] / curved[i][i]
            } else {
                0.0
            }
        })
    });
    // Farther is another point of the grid's, or none at all.
    let step = [
        top[0].clamp(-2.0, 2.0),
        top[1].clamp(-0.6, 0.6),
        top[2].clamp(-0.6, 0.6),
    ];
    let gain: f32 = (0..3)
        .map(|i| {
            let bend: f32 = (0..3).map(|j| curved[i][j] * step[j]).sum();
            step[i] * (slope[i] + 0.5 * bend)
        })
        .sum();
    if gain > 0.0 {
        let px = |axis: usize| around.along[axis].map_or(0.0, |(h, ..)| h * step[axis + 1]);
        ([step[0], px(0), px(1)], gain)
    } else {
        ([0.0; 3], 0.0)
    }
}

/// Where a paraboloid with a slope and curvatures at 0 has its top; None where it has none.
fn top(slope: [f32; 3], curved: [[f32; 3]; 3]) -> Option<[f32; 3]> {
    // Cholesky's factor of the negative.
    let mut l = [[0.0f32; 3]; 3];
    let mut x = [0.0f32; 3];
    for i in 0..3 {
        for j in 0..=i {
            let rest = -curved[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f32>();
            if i == j {
                // A ridge that is all but flat has its top nowhere near.
                if rest.is_nan() || rest <= -0.05 * curved[i][i] {
                    return None;
                }
                l[i][i] = rest.sqrt();
            } else {
                l[i][j] = rest / l[j][j];
            }
        }
        let known: f32 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (slope[i] - known) / l[i][i];
    }
    for i in (0..3).rev() {
        let known: f32 = (i + 1..3).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / l[i][i];
    }
    Some(x)
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
