//! Area moments of a region from its runs, and what follows from them: axes, orientation, Hu's invariants.

use std::f64::consts::FRAC_PI_4;

use crate::measure::regions::Region;

/// Area, centroid and central moments `mu[p][q]` of the pixel centres, p along y, q along x, in pixels.
pub(crate) struct Moments {
    pub(crate) area: u64,
    pub(crate) y: f64,
    pub(crate) x: f64,
    pub(crate) mu: [[f64; 4]; 4],
}

/// The ellipse with the second moments of a region.
pub(crate) struct Ellipse {
    pub(crate) major: f64,
    pub(crate) minor: f64,
    pub(crate) orientation: f64,
    pub(crate) eccentricity: f64,
}

impl Moments {
    /// Moments of a region, closed sums over each run.
    pub(crate) fn new(region: &Region<'_>) -> Self {
        let (mut area, mut sum_y, mut sum_x2) = (0u64, 0u128, 0u128);
        for run in region.runs {
            let (x0, x1) = (u64::from(run.x0), u64::from(run.x1));
            let n = x1 - x0;
            area += n;
            sum_y += u128::from(n) * u128::from(run.y);
            sum_x2 += u128::from(n) * u128::from(x0 + x1 - 1);
        }
        let y = sum_y as f64 / area as f64;
        let x = 0.5 * (sum_x2 as f64 / area as f64);
        let mut mu = [[0.0; 4]; 4];
        for run in region.runs {
            let n = f64::from(run.x1 - run.x0);
            let dy = f64::from(run.y) - y;
            let dx = 0.5 * (f64::from(run.x0) + f64::from(run.x1) - 1.0) - x;
            // Second moment of n equidistant points about their middle; the third is zero.
            let spread = n * (n * n - 1.0) / 12.0;
            let along = [
                n,
                n * dx,
                n * dx * dx + spread,
                n * dx * dx * dx + 3.0 * dx * spread,
            ];
            let mut power = 1.0;
            for p in 0..4 {
                for q in 0..4 - p {
                    mu[p][q] += power * along[q];
                }
                power *= dy;
            }
        }
        Self { area, y, x, mu }
    }

    /// Central moments with pixels of `sampling` (y, x).
    fn scaled(&self, sampling: (f64, f64)) -> [[f64; 4]; 4] {
        let mut mu = self.mu;
        for p in 0..4 {
            for q in 0..4 - p {
                mu[p][q] *= sampling.0.powi(p as i32 + 1) * sampling.1.powi(q as i32 + 1);
            }
        }
        mu
    }

    /// Axes, orientation and eccentricity with pixels of `sampling` (y, x).
    pub(crate) fn ellipse(&self, sampling: (f64, f64)) -> Ellipse {
        let mu = self.scaled(sampling);
        let (yy, xx, xy) = (
            mu[2][0] / mu[0][0],
            mu[0][2] / mu[0][0],
            mu[1][1] / mu[0][0],
        );
        let middle = 0.5 * (yy + xx);
        let half = (0.25 * (yy - xx) * (yy - xx) + xy * xy).sqrt();
        // Rounding leaves a round region a tiny anisotropy of no meaning.
        let round = half <= 1e-12 * middle;
        let (large, small) = if round {
            (middle, middle)
        } else {
            (middle + half, (middle - half).max(0.0))
        };
        // Thin lines: what rounding leaves of a vanishing minor axis.
        let small = if small <= 1e-14 * large { 0.0 } else { small };
        Ellipse {
            major: 4.0 * large.sqrt(),
            minor: 4.0 * small.sqrt(),
            orientation: if round {
                -FRAC_PI_4
            } else {
                0.5 * (2.0 * xy).atan2(yy - xx)
            },
            eccentricity: if large > 0.0 {
                (1.0 - small / large).max(0.0).sqrt()
            } else {
                0.0
            },
        }
    }

    /// Hu's seven invariants (Hu, IRE Trans. Inf. Theory 8, 179 (1962)) with pixels of `sampling`.
    pub(crate) fn hu(&self, sampling: (f64, f64)) -> [f64; 7] {
        let mu = self.scaled(sampling);
        let nu = |p: usize, q: usize| mu[p][q] / mu[0][0].powf(0.5 * (p + q) as f64 + 1.0);
        let (n20, n02, n11) = (nu(2, 0), nu(0, 2), nu(1, 1));
        let (n30, n12, n21, n03) = (nu(3, 0), nu(1, 2), nu(2, 1), nu(0, 3));
        let (a, b) = (n30 + n12, n21 + n03);
        let (c, d) = (n30 - 3.0 * n12, 3.0 * n21 - n03);
        let difference = n20 - n02;
        [
            n20 + n02,
            difference * difference + 4.0 * n11 * n11,
            c * c + d * d,
            a * a + b * b,
            c * a * (a * a - 3.0 * b * b) + d * b * (3.0 * a * a - b * b),
            difference * (a * a - b * b) + 4.0 * n11 * a * b,
            d * a * (a * a - 3.0 * b * b) - c * b * (3.0 * a * a - b * b),
        ]
    }
}
