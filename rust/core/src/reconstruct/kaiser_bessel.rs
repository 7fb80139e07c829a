//! Kaiser–Bessel interpolation kernel: four taps a dimension on a Fourier grid padded twofold.
//!
//! φ(d) = I₀(β √(1 − (2d/W)²)) / I₀(β) for |d| < W/2, in grid steps. Its Fourier transform is divided out in real space
//! (`transform`). The relative error of a sample in 3D is about 7e-4 for noise that fills the box, and at most 1.5e-3 a
//! dimension, at the box's faces.

/// Taps a dimension.
pub const WIDTH: usize = 4;

/// Grid steps a Fourier pixel of the box.
pub const PADDING: usize = 2;

/// π √((W/σ)² (σ − ½)² − 0.8) for W = 4, σ = 2: Beatty, Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005), eq. 5.
const BETA: f64 = 8.996_152_293_559_44;

/// Terms of the polynomials that stand for the four pieces of the kernel; their error is below 1e-6.
const TERMS: usize = 8;

/// Roots of the Chebyshev polynomial T₈: where the polynomials meet the kernel.
const NODES: [f64; TERMS] = [
    -0.980_785_280_403_230_4,
    -0.831_469_612_302_545_2,
    -0.555_570_233_019_602_2,
    -0.195_090_322_016_128_27,
    0.195_090_322_016_128_27,
    0.555_570_233_019_602_2,
    0.831_469_612_302_545_2,
    0.980_785_280_403_230_4,
];

/// In the variable s = 2u − 1 the taps mirror each other: the first two are E(s²) + s O(s²), the last two E(s²) − s O(s²).
/// `PARTS[power of s²]` has E of the first two, then O.
static PARTS: [[f32; WIDTH]; TERMS / 2] = parts();

/// I₀(√x) by its power series, which needs no root.
const fn bessel_of_square(x: f64) -> f64 {
    let mut sum = 1.0;
    let mut term = 1.0;
    let mut k = 1.0;
    while k < 60.0 {
        term *= x / 4.0 / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// φ(d) for |d| ≤ W/2, `d` in grid steps.
const fn kernel(d: f64) -> f64 {
    let x = 2.0 * d / WIDTH as f64;
    bessel_of_square(BETA * BETA * (1.0 - x * x)) / bessel_of_square(BETA * BETA)
}

/// Newton's divided differences at the nodes, expanded into powers.
const fn parts() -> [[f32; WIDTH]; TERMS / 2] {
    let mut out = [[0.0; WIDTH]; TERMS / 2];
    let mut tap = 0;
    while tap < WIDTH / 2 {
        let mut differences = [0.0; TERMS];
        let mut i = 0;
        while i < TERMS {
            differences[i] = kernel((NODES[i] + 1.0) / 2.0 + 1.0 - tap as f64);
            i += 1;
        }
        let mut order = 1;
        while order < TERMS {
            let mut i = TERMS - 1;
            while i >= order {
                differences[i] =
                    (differences[i] - differences[i - 1]) / (NODES[i] - NODES[i - order]);
                i -= 1;
            }
            order += 1;
        }
        // Horner in (s − node): multiply the polynomial so far by it, add the next difference.
        let mut powers = [0.0; TERMS];
        let mut i = TERMS;
        while i > 0 {
            i -= 1;
            let mut p = TERMS - 1;
            while p > 0 {
                powers[p] = powers[p - 1] - NODES[i] * powers[p];
                p -= 1;
            }
            powers[0] = differences[i] - NODES[i] * powers[0];
        }
        let mut p = 0;
        while p < TERMS {
            out[p / 2][tap + p % 2 * 2] = powers[p] as f32;
            p += 1;
        }
        tap += 1;
    }
    out
}

/// Weights of the grid points at −1, 0, 1, 2 from the one below the sample, which lies `u` in [0, 1) above it.
#[inline(always)]
pub fn weights(u: f32) -> [f32; WIDTH] {
    let s = 2.0 * u - 1.0;
    let square = s * s;
    let mut parts = PARTS[TERMS / 2 - 1];
    for power in (0..TERMS / 2 - 1).rev() {
        for i in 0..WIDTH {
            parts[i] = parts[i] * square + PARTS[power][i];
        }
    }
    let [e0, e1, o0, o1] = parts;
    [e0 + s * o0, e1 + s * o1, e1 - s * o1, e0 - s * o0]
}

/// `weights` and their derivatives by `u`, per grid step.
#[inline(always)]
pub fn weights_with_slopes(u: f32) -> ([f32; WIDTH], [f32; WIDTH]) {
    let s = 2.0 * u - 1.0;
    let square = s * s;
    let mut parts = PARTS[TERMS / 2 - 1];
    let mut slopes = [0.0; WIDTH];
    for power in (0..TERMS / 2 - 1).rev() {
        for i in 0..WIDTH {
            slopes[i] = slopes[i] * square + parts[i];
            parts[i] = parts[i] * square + PARTS[power][i];
        }
    }
    let [e0, e1, o0, o1] = parts;
    // By u: ds/du = 2, d(s²)/du = 4 s.
    let [de0, de1, do0, do1] = [
        4.0 * s * slopes[0],
        4.0 * s * slopes[1],
        2.0 * o0 + 4.0 * square * slopes[2],
        2.0 * o1 + 4.0 * square * slopes[3],
    ];
    (
        [e0 + s * o0, e1 + s * o1, e1 - s * o1, e0 - s * o0],
        [de0 + do0, de1 + do1, de1 - do1, de0 - do0],
    )
}

/// Fourier transform of the kernel at `x` = position / padded size, |x| ≤ ½; real space is divided by it in each dimension.
pub fn transform(x: f64) -> f64 {
    let z = BETA * BETA - (std::f64::consts::PI * WIDTH as f64 * x).powi(2);
    let peak = bessel_of_square(BETA * BETA);
    let root = z.abs().sqrt();
    let sinc = if z >= 0.0 {
        root.sinh() / root
    } else {
        root.sin() / root
    };
    WIDTH as f64 / peak * sinc
}

/// `transform` at every pixel of a box, index `n / 2` at the origin.
pub fn transforms(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| transform((i as f64 - (n / 2) as f64) / (PADDING * n) as f64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_the_kernel() {
        for i in 0..200 {
            let u = i as f32 / 200.0;
            let (w, slopes) = weights_with_slopes(u);
            assert_eq!(w, weights(u));
            for tap in 0..WIDTH {
                let d = u as f64 + 1.0 - tap as f64;
                assert!((w[tap] as f64 - kernel(d)).abs() < 1e-6);
                let step = 1e-4;
                let slope = (kernel(d + step) - kernel(d - step)) / (2.0 * step);
                if d.abs() + step < 2.0 {
                    assert!(
                        (slopes[tap] as f64 - slope).abs() < 1e-4,
                        "{}",
                        slopes[tap] as f64 - slope
                    );
                }
            }
        }
    }

    #[test]
    fn a_wave_is_interpolated() {
        for x in [-0.25f64, -0.13, 0.0, 0.2] {
            for i in 0..50 {
                let u = i as f64 / 50.0;
                let (mut re, mut im) = (0.0, 0.0);
                for (tap, w) in weights(u as f32).iter().enumerate() {
                    let phase = std::f64::consts::TAU * (tap as f64 - 1.0 - u) * x;
                    re += *w as f64 * phase.cos();
                    im += *w as f64 * phase.sin();
                }
                let scale = transform(x);
                let error = (re / scale - 1.0).hypot(im / scale);
                assert!(error < 1.6e-3, "{x} {u}: {error}");
            }
        }
    }
}
