//! Random numbers that belong to a key: the same for any order and number of threads.

/// xoshiro256++ (Blackman and Vigna, ACM Trans. Math. Softw. 47 (2021) 36), started by splitmix64 from a key and a stream's number.
#[derive(Debug, Clone)]
pub struct Stream([u64; 4]);

impl Stream {
    /// Stream number `stream` of a key.
    pub fn new(key: [u64; 2], stream: u64) -> Self {
        let mut state = key[0];
        let mut mixed = splitmix(&mut state) ^ key[1];
        mixed = splitmix(&mut mixed) ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self([0; 4].map(|_: u64| splitmix(&mut mixed)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Two independent standard normal numbers: the polar method of Marsaglia and Bray, SIAM Rev. 6 (1964) 260.
    pub fn normal_pair(&mut self) -> [f64; 2] {
        loop {
            let bits = self.bits();
            let half = |bits: u32| (f64::from(bits) + 0.5) * (1.0 / f64::from(1u32 << 31)) - 1.0;
            let (u, v) = (half(bits as u32), half((bits >> 32) as u32));
            let square = u * u + v * v;
            if square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                return [u * factor, v * factor];
            }
        }
    }

    /// A Poisson number.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean < INVERSION_BELOW {
            self.poisson_by_inversion(mean)
        } else {
            self.poisson_by_rejection(mean)
        }
    }

    /// Walks up the cumulative distribution.
    fn poisson_by_inversion(&mut self, mean: f64) -> f64 {
        let u = self.uniform();
        let mut probability = (-mean).exp();
        let mut cumulative = probability;
        // A mean below 10 goes beyond the table once in 1e28 draws; the sum may end below the largest u by rounding.
        for (k, inverse) in INVERSES.iter().enumerate() {
            if u <= cumulative {
                return k as f64;
            }
            probability *= mean * inverse;
            cumulative += probability;
        }
        INVERSES.len() as f64
    }

    /// Transformed rejection with squeeze: PTRS of Hörmann, Insur. Math. Econ. 12 (1993) 39.
    fn poisson_by_rejection(&mut self, mean: f64) -> f64 {
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if (v * inverse_alpha / (a / (us * us) + b)).ln()
                <= k * mean.ln() - mean - log_factorial(k)
            {
                return k;
            }
        }
    }
}

/// Mean below which walking up the distribution is the quicker way; the rejection needs 10 at least.
const INVERSION_BELOW: f64 = 10.0;

/// 1, 1/2, 1/3 …
const INVERSES: [f64; 64] = {
    let mut table = [0.0; 64];
    let mut k = 0;
    while k < 64 {
        table[k] = 1.0 / (k + 1) as f64;
        k += 1;
    }
    table
};

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// ln k! by Stirling's series about k + 1, after some steps of the recurrence for small k.
fn log_factorial(k: f64) -> f64 {
    let (mut x, mut steps) = (k + 1.0, 0.0);
    while x < 8.0 {
        steps += x.ln();
        x += 1.0;
    }
    let r = 1.0 / x;
    let series = r * (1.0 / 12.0 - r * r * (1.0 / 360.0 - r * r / 1260.0));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_factorials() {
        let mut expected = 0.0;
        for k in 1..40 {
            expected += f64::from(k).ln();
            assert!((log_factorial(f64::from(k)) - expected).abs() < 1e-8);
        }
    }

    #[test]
    fn streams_of_a_key_differ_and_repeat() {
        let first = |key, stream| Stream::new(key, stream).bits();
        assert_eq!(first([1, 2], 3), first([1, 2], 3));
        let others = [first([1, 2], 4), first([1, 3], 3), first([2, 2], 3)];
        assert!(others.iter().all(|&o| o != first([1, 2], 3)));
    }

    #[test]
    fn poisson_moments() {
        // Mean, variance and third central moment of a Poisson distribution are all its mean.
        for mean in [0.01, 0.7, 5.0, 9.99, 10.01, 40.0, 900.0] {
            let mut stream = Stream::new([5, 0], (mean * 100.0) as u64);
            let n = 200_000;
            let draws: Vec<f64> = (0..n).map(|_| stream.poisson(mean)).collect();
            let count = f64::from(n);
            let m = draws.iter().sum::<f64>() / count;
            let v = draws.iter().map(|d| (d - m).powi(2)).sum::<f64>() / count;
            let c = draws.iter().map(|d| (d - m).powi(3)).sum::<f64>() / count;
            assert!((m - mean).abs() < 5.0 * (mean / count).sqrt(), "{mean} {m}");
            let deviation = ((2.0 * mean * mean + mean) / count).sqrt();
            assert!((v - mean).abs() < 5.0 * deviation, "{mean} {v}");
            let deviation = ((15.0 * mean.powi(3) + 25.0 * mean * mean + mean) / count).sqrt();
            assert!((c - mean).abs() < 6.0 * deviation, "{mean} {c}");
        }
    }

    #[test]
    fn normal_moments() {
        let mut stream = Stream::new([9, 9], 0);
        let draws: Vec<f64> = (0..100_000).flat_map(|_| stream.normal_pair()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|d| d * d).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.015);
    }
}
