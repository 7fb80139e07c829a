//! Projected thickness of a body as means over the cells of a grid.

use ndarray::Array2;

use super::body::Body;
use super::thickness::Lines;
use super::vector::Vector;
use crate::error::{Error, Result};

/// Lines along each side of a cell where the thickness bends.
const FINE: usize = 4;

/// Difference from the mean of the four neighbours, over the largest thickness, from which a cell counts as bent.
const BENT: f64 = 0.03;

/// Thickness on a square grid of side 2 `half` + 1 about the body's centre.
///
/// The middle of a cell stands for the cell, but for cells on the outline and on sharp edges, which are means over many lines: so that
/// the sum over the grid is the volume, wherever the edges lie between the cells.
pub fn cell_means(
    body: Body,
    to_body: [Vector; 3],
    half: usize,
    spacing: f64,
) -> Result<Array2<f32>> {
    if !(spacing > 0.0 && spacing.is_finite()) {
        return Err(Error::invalid("spacing", "a number > 0", spacing));
    }
    let lines = Lines::new(body, to_body)?;
    let n = 2 * half + 1;
    let offset = |i: usize| (i as f64 - half as f64) * spacing;
    let middle = Array2::from_shape_fn((n, n), |(i, j)| lines.quick_chord(offset(i), offset(j)));
    let bent = BENT * middle.iter().copied().fold(0.0, f64::max);
    let at = |i: isize, j: isize| match (usize::try_from(i), usize::try_from(j)) {
        (Ok(i), Ok(j)) => middle.get((i, j)).copied().unwrap_or(0.0),
        _ => 0.0,
    };
    let steps: [f64; FINE] =
        std::array::from_fn(|k| ((k as f64 + 0.5) / FINE as f64 - 0.5) * spacing);
    Ok(Array2::from_shape_fn((n, n), |(i, j)| {
        let value = middle[[i, j]];
        let (i, j) = (i as isize, j as isize);
        let around = [at(i - 1, j), at(i + 1, j), at(i, j - 1), at(i, j + 1)];
        let outline = around.iter().any(|&v| (v > 0.0) != (value > 0.0));
        if !outline && (around.iter().sum::<f64>() / 4.0 - value).abs() <= bent {
            return value as f32;
        }
        let (y, x) = (offset(i as usize), offset(j as usize));
        let sum: f64 = steps
            .iter()
            .flat_map(|&dy| steps.iter().map(move |&dx| (dy, dx)))
            .map(|(dy, dx)| lines.quick_chord(y + dy, x + dx))
            .sum();
        (sum / (FINE * FINE) as f64) as f32
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cube_along_the_grid_has_its_volume() {
        for scale in [3.0, 3.013, 3.05, 3.21] {
            let inverse = 1.0 / scale;
            let to_body = [
                [inverse, 0.0, 0.0],
                [0.0, inverse, 0.0],
                [0.0, 0.0, inverse],
            ];
            let body = Body::new("cube", 50.0).unwrap();
            let grid = cell_means(body, to_body, 60, 0.1).unwrap();
            let volume = grid.iter().map(|&v| f64::from(v)).sum::<f64>() * 0.01;
            // Gamma functions of the superquadric of exponent 50: 7.9872 half sizes cubed.
            assert!(
                (volume / (7.9872 * scale.powi(3)) - 1.0).abs() < 0.01,
                "{volume}"
            );
        }
    }

    #[test]
    fn refuses_a_grid_without_spacing() {
        let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        assert!(cell_means(Body::Sphere, unit, 4, 0.0).is_err());
    }
}
