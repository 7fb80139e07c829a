//! Projected thickness of a body: exact along the beam, averaged over each pixel.

use ndarray::Array2;

use super::body::Body;
use super::vector::Vector;
use crate::error::{Error, Result};
use crate::parallel;

/// Rows computed as one piece of work.
const BLOCK_ROWS: usize = 16;

/// The lines along the beam through a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    body: Body,
    to_body: [Vector; 3],
    direction: Vector,
    squared: f64,
    radius_squared: f64,
}

impl Lines {
    /// `to_body` as `thickness` takes it.
    pub(super) fn new(body: Body, to_body: [Vector; 3]) -> Result<Self> {
        let direction = to_body.map(|row| row[2]);
        let squared: f64 = direction.iter().map(|v| v * v).sum();
        if !(squared > 0.0 && squared.is_finite()) {
            return Err(Error::invalid(
                "to_body",
                "an invertible matrix",
                format!("{to_body:?}"),
            ));
        }
        Ok(Self {
            body,
            to_body,
            direction,
            squared,
            radius_squared: body.radius().powi(2),
        })
    }

    /// Length inside the body of the line at an offset (y, x) from its centre.
    pub(super) fn chord(&self, y: f64, x: f64) -> f64 {
        self.origin(y, x)
            .map_or(0.0, |origin| self.body.chord(origin, self.direction))
    }

    /// The same to some hundred-thousandths of the half size, and quicker.
    pub(super) fn quick_chord(&self, y: f64, x: f64) -> f64 {
        self.origin(y, x)
            .map_or(0.0, |origin| self.body.quick_chord(origin, self.direction))
    }

    /// Where the line starts in the body's frame; None where it misses the enclosing ball.
    fn origin(&self, y: f64, x: f64) -> Option<Vector> {
        let direction = self.direction;
        let origin = self.to_body.map(|row| row[0] * x + row[1] * y);
        // The point of the line nearest to the centre.
        let nearest = -(0..3).map(|i| origin[i] * direction[i]).sum::<f64>() / self.squared;
        let distance: f64 = (0..3)
            .map(|i| (origin[i] + nearest * direction[i]).powi(2))
            .sum();
        (distance < self.radius_squared).then_some(origin)
    }
}

/// Thickness image of `shape` (y, x).
///
/// `to_body` takes an offset (x, y, z) from the particle's centre, in the unit of `pixel_size` (y, x), to the body's own
/// frame; `centre` is the centre's position (y, x) in pixels. Each pixel is the mean over `supersampling`² lines.
pub fn thickness(
    body: Body,
    to_body: [Vector; 3],
    shape: (usize, usize),
    centre: (f64, f64),
    pixel_size: (f64, f64),
    supersampling: usize,
    threads: usize,
) -> Result<Array2<f32>> {
    if supersampling == 0 {
        return Err(Error::invalid("supersampling", "an integer >= 1", 0));
    }
    let lines = Lines::new(body, to_body)?;
    let mut out = Array2::<f32>::zeros(shape);
    if out.is_empty() {
        return Ok(out);
    }
    let steps: Vec<f64> = (0..supersampling)
        .map(|k| (k as f64 + 0.5) / supersampling as f64 - 0.5)
        .collect();
    let weight = 1.0 / (supersampling * supersampling) as f64;
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, BLOCK_ROWS * shape.1, |i_block, block| {
        for (i, row) in block.chunks_mut(shape.1).enumerate() {
            let y = (i_block * BLOCK_ROWS + i) as f64 - centre.0;
            for (j, pixel) in row.iter_mut().enumerate() {
                let x = j as f64 - centre.1;
                let sum: f64 = steps
                    .iter()
                    .flat_map(|dy| steps.iter().map(move |dx| (dy, dx)))
                    .map(|(dy, dx)| lines.chord((y + dy) * pixel_size.0, (x + dx) * pixel_size.1))
                    .sum();
                *pixel = (sum * weight) as f32;
            }
        }
    });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ball_has_its_volume_and_diameter() {
        let r = 8.0;
        let to_body = [
            [1.0 / r, 0.0, 0.0],
            [0.0, 1.0 / r, 0.0],
            [0.0, 0.0, 1.0 / r],
        ];
        let image = thickness(
            Body::Sphere,
            to_body,
            (64, 60),
            (32.0, 30.0),
            (0.5, 0.5),
            3,
            2,
        )
        .unwrap();
        let volume = image.iter().map(|&v| f64::from(v)).sum::<f64>() * 0.25;
        let expected = 4.0 / 3.0 * std::f64::consts::PI * r.powi(3);
        assert!((volume / expected - 1.0).abs() < 1e-3);
        assert!((image[[32, 30]] - 16.0).abs() < 0.01);
    }

    #[test]
    fn refuses_a_flat_body() {
        let flat = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]];
        assert!(thickness(Body::Sphere, flat, (4, 4), (2.0, 2.0), (1.0, 1.0), 1, 1).is_err());
    }
}
