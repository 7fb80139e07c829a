//! Correlation over the in-plane angle: products of harmonics summed over rings, and the series they are the coefficients of.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use ndarray::ArrayView2;
use rustfft::num_complex::Complex;

/// Numbers worked on together.
const LANES: usize = 8;

/// Shifts that go over a view together: as many as fit the registers.
const SHIFTS_AT_ONCE: usize = 3;

pub(super) type Lanes = [f32; LANES];

/// Per block of harmonics and ring: real parts, imaginary parts. Blocks are filled up with zeros.
pub(super) fn packed(spectrum: ArrayView2<'_, Complex<f32>>) -> Vec<Lanes> {
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

/// Sums over the rings of products of an image's (a + ib) and a view's (c + id) harmonics, for a block of harmonics.
#[derive(Clone, Copy, Default)]
pub(super) struct Products {
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
pub(super) fn multiply(
    image: &[Lanes],
    view: &[Lanes],
    rings: usize,
    blocks: usize,
    out: &mut [Products],
) {
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
pub(super) fn peak(
    sums: &[Products],
    mirrored: bool,
    series: &Series,
    values: &mut [Lanes],
) -> (f32, usize) {
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
pub(super) fn derivatives(
    sums: &[Products],
    mirrored: bool,
    angle: usize,
    series: &Series,
) -> [f32; 3] {
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

/// Tables for the sum of a real Fourier series at all angles.
///
/// The angles a, −a, ½ − a and ½ + a of a period share their cosines and sines up to signs that differ between even and odd
/// harmonics: only the first quarter is summed.
pub(super) struct Series {
    pub(super) n_angles: usize,
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
    /// Tables for `n` angles of a period; half a turn where only even harmonics are kept.
    pub(super) fn new(n: usize, centrosymmetric: bool) -> Self {
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
                    if odd && !centrosymmetric { -1.0 } else { 1.0 }
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

    /// Blocks of harmonics.
    pub(super) fn harmonic_blocks(&self) -> usize {
        self.signs.len()
    }

    /// Room for `peak`.
    pub(super) fn workspace(&self) -> Vec<Lanes> {
        vec![[0.0; LANES]; 4 * self.blocks]
    }

    /// The angle of a place in what `peak` writes.
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

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// Any spectrum (ring, harmonic).
    fn spectrum(rings: usize, harmonics: usize, seed: u32) -> Array2<Complex<f32>> {
        Array2::from_shape_fn((rings, harmonics), |(r, k)| {
            let x = (r * 31 + k * 7) as f32 + seed as f32 * 1.7;
            Complex::new((1.3 * x).sin(), if k == 0 { 0.0 } else { (2.1 * x).cos() })
        })
    }

    #[test]
    fn peaks_and_slopes_are_those_of_the_plain_sum() {
        for (n, centrosymmetric) in [(6, false), (8, true), (20, false), (36, true), (72, false)] {
            let (rings, harmonics) = (3, n / 2 + 1);
            let (image, view) = (spectrum(rings, harmonics, 1), spectrum(rings, harmonics, 5));
            let series = Series::new(n, centrosymmetric);
            let blocks = series.harmonic_blocks();
            let mut sums = vec![Products::default(); blocks];
            multiply(
                &packed(image.view()),
                &packed(view.view()),
                rings,
                blocks,
                &mut sums,
            );
            for mirrored in [false, true] {
                let plain = |turns: f64| -> f64 {
                    let mut sum = 0.0;
                    for ((r, k), a) in image.indexed_iter() {
                        let odd = k % 2 == 1 && !centrosymmetric;
                        let b = view[[r, k]];
                        let b = match (mirrored, odd) {
                            (false, _) => b.conj(),
                            (true, false) => b,
                            (true, true) => -b,
                        };
                        let (sin, cos) = (std::f64::consts::TAU * turns * k as f64).sin_cos();
                        let product = a * b;
                        sum += product.re as f64 * cos - product.im as f64 * sin;
                    }
                    sum
                };
                let values: Vec<f64> = (0..n).map(|a| plain(a as f64 / n as f64)).collect();
                let (top, angle) = peak(&sums, mirrored, &series, &mut series.workspace());
                let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                assert!((top as f64 - largest).abs() < 1e-4, "{n} {mirrored}");
                assert!((values[angle] - largest).abs() < 1e-4, "{n} {mirrored}");
                let at = n / 3;
                let [value, slope, curvature] = derivatives(&sums, mirrored, at, &series);
                let h = 1e-4;
                let near = |d: f64| plain(at as f64 / n as f64 + d / std::f64::consts::TAU);
                let size = (n * n) as f64;
                assert!((value as f64 - near(0.0)).abs() < 1e-4);
                assert!((slope as f64 - (near(h) - near(-h)) / (2.0 * h)).abs() < 1e-5 * size);
                let bend = (near(h) - 2.0 * near(0.0) + near(-h)) / (h * h);
                assert!(
                    (curvature as f64 - bend).abs() < 1e-4 * size,
                    "{curvature} {bend}"
                );
            }
        }
    }
}
