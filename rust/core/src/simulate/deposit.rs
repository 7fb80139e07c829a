//! Points spread on a grid.

use ndarray::{Array2, ArrayView2};

use super::specimen_image::weights;
use crate::error::{Error, Result};

/// Spreads points (y, x), given from the centre of a square grid of side 2 `half` + 1, with the weights of a cubic B-spline: each point
/// adds `weight` in all, about its place. Points whose spline reaches over the border are refused.
pub fn deposit(
    points: ArrayView2<f64>,
    weight: f64,
    half: usize,
    spacing: f64,
) -> Result<Array2<f32>> {
    let n = 2 * half + 1;
    let mut out = Array2::<f64>::zeros((n, n));
    for point in points.rows() {
        let u = [0, 1].map(|a| point[a] / spacing + half as f64);
        if !u.iter().all(|&v| v >= 1.0 && v < n as f64 - 2.0) {
            return Err(Error::invalid(
                "points",
                "points (y, x) within the grid",
                point,
            ));
        }
        let [y, x] = u.map(|v| v as usize);
        let [wy, wx] = u.map(|v| weights(v.fract() as f32));
        for (a, &wy) in wy.iter().enumerate() {
            for (b, &wx) in wx.iter().enumerate() {
                out[[y - 1 + a, x - 1 + b]] += weight * f64::from(wy * wx);
            }
        }
    }
    Ok(out.mapv(|v| v as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_point_keeps_its_weight_and_place() {
        let grid = deposit(array![[0.31, -0.2]].view(), 3.0, 8, 0.1).unwrap();
        let moment = |f: &dyn Fn(f64, f64) -> f64| {
            grid.indexed_iter()
                .map(|((i, j), &v)| {
                    f64::from(v) * f(0.1 * (i as f64 - 8.0), 0.1 * (j as f64 - 8.0))
                })
                .sum::<f64>()
        };
        assert!((moment(&|_, _| 1.0) - 3.0).abs() < 1e-5);
        assert!((moment(&|y, _| y) / 3.0 - 0.31).abs() < 1e-5);
        assert!((moment(&|_, x| x) / 3.0 + 0.2).abs() < 1e-5);
        // The spline's own variance is a third of a squared spacing.
        let spread = moment(&|y, _| (y - 0.31).powi(2)) / 3.0;
        assert!((spread - 0.01 / 3.0).abs() < 1e-5);
    }

    #[test]
    fn refuses_points_outside() {
        assert!(deposit(array![[0.0, 0.9]].view(), 1.0, 8, 0.1).is_err());
    }
}
