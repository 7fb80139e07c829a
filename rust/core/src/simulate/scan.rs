//! Where the pixels of a scan lie on the specimen.

use std::ops::Range;

use crate::error::{Error, Result};

/// A place (y, x) on the specimen.
pub type Place = [f64; 2];

/// Pixel (i, j) lies at `rows[i] + columns[j]`, whatever displaces lines and columns, and however the scan is rotated.
#[derive(Debug, Clone)]
pub struct Scan {
    rows: Vec<Place>,
    columns: Vec<Place>,
    /// The evenly spaced columns nearest to the true ones: first place, step, and how far a column lies from its place there.
    first: Place,
    step: Place,
    deviation: Place,
}

impl Scan {
    /// A scan of finite places.
    pub fn new(rows: Vec<Place>, columns: Vec<Place>) -> Result<Self> {
        for (argument, places) in [("rows", &rows), ("columns", &columns)] {
            if let Some(i) = places
                .iter()
                .position(|p| !(p[0].is_finite() && p[1].is_finite()))
            {
                return Err(Error::NonFinite {
                    argument,
                    index: vec![i],
                    found: format!("{:?}", places[i]),
                });
            }
        }
        let first = columns.first().copied().unwrap_or_default();
        let last = columns.last().copied().unwrap_or_default();
        let n_steps = columns.len().saturating_sub(1).max(1) as f64;
        let step = [0, 1].map(|a| (last[a] - first[a]) / n_steps);
        let deviation = [0, 1].map(|a| {
            let off = |(j, p): (usize, &Place)| (p[a] - first[a] - j as f64 * step[a]).abs();
            columns.iter().enumerate().map(off).fold(0.0, f64::max)
        });
        Ok(Self {
            rows,
            columns,
            first,
            step,
            deviation,
        })
    }

    /// Height and width in pixels.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.columns.len())
    }

    /// Places that the lines start from.
    pub fn rows(&self) -> &[Place] {
        &self.rows
    }

    /// What the columns add.
    pub fn columns(&self) -> &[Place] {
        &self.columns
    }

    /// Columns of a line that may lie within `half` of `centre` along both axes; all that do are among them.
    pub fn columns_near(&self, row: usize, centre: Place, half: f64) -> Range<usize> {
        let (mut low, mut high) = (0.0f64, self.columns.len() as f64);
        for a in 0..2 {
            let offset = self.rows[row][a] + self.first[a] - centre[a];
            let reach = half + self.deviation[a];
            if self.step[a].abs() < 1e-9 {
                // Over a frame such a step adds less than a picometre for every thousand columns.
                if offset.abs() > reach + 1e-9 * self.columns.len() as f64 {
                    return 0..0;
                }
                continue;
            }
            let ends = [-1.0, 1.0].map(|sign| (sign * reach - offset) / self.step[a]);
            low = low.max(ends[0].min(ends[1]).floor());
            high = high.min(ends[0].max(ends[1]).ceil() + 1.0);
        }
        if low < high {
            low as usize..high as usize
        } else {
            0..0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_near_column_is_found() {
        for angle in [0.0f64, 0.4, std::f64::consts::FRAC_PI_2, 2.5] {
            let (s, c) = angle.sin_cos();
            let columns: Vec<Place> = (0..50)
                .map(|j| {
                    let along = 0.3 * f64::from(j) + 2.0 * (-f64::from(j) / 5.0).exp();
                    [along * s, along * c]
                })
                .collect();
            let rows: Vec<Place> = (0..40)
                .map(|i| [0.3 * f64::from(i) * c, -0.3 * f64::from(i) * s])
                .collect();
            let scan = Scan::new(rows.clone(), columns.clone()).unwrap();
            for centre in [[0.0, 0.0], [3.0, 6.0], [-4.0, 2.0]] {
                for (i, row) in rows.iter().enumerate() {
                    let near = scan.columns_near(i, centre, 1.5);
                    for (j, column) in columns.iter().enumerate() {
                        let inside = (0..2).all(|a| (row[a] + column[a] - centre[a]).abs() <= 1.5);
                        assert!(!inside || near.contains(&j));
                    }
                }
            }
        }
    }

    #[test]
    fn refuses_places_that_are_nowhere() {
        assert!(Scan::new(vec![[0.0, f64::NAN]], vec![[0.0, 0.0]]).is_err());
    }
}
