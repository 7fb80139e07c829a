//! Suppression of boxes that repeat a better one.

use std::collections::HashMap;

use ndarray::ArrayView2;

use crate::error::{Error, Result};

/// Rows of `boxes` (y0, x0, y1, x1; best first) to keep: none overlaps a kept one by more than `iou` of their union or `contained`
/// of the smaller.
pub fn suppress(boxes: ArrayView2<'_, f32>, iou: f64, contained: f64) -> Result<Vec<usize>> {
    if boxes.ncols() != 4 {
        return Err(Error::ShapeMismatch {
            argument: "boxes",
            expected: vec![boxes.nrows(), 4],
            found: boxes.shape().to_vec(),
        });
    }
    // Kept boxes are found again through the cells they cover; one grid for each power of two of the box size keeps that short.
    let mut cells: HashMap<(i32, i64, i64), Vec<usize>> = HashMap::new();
    let mut octaves: Vec<i32> = Vec::new();
    let mut kept = Vec::new();
    for (i, a) in boxes.rows().into_iter().enumerate() {
        let area = |b: &[f32; 4]| f64::from(b[2] - b[0]) * f64::from(b[3] - b[1]);
        let this = [a[0], a[1], a[2], a[3]];
        let covered = |octave: i32| {
            let side = 2f32.powi(octave);
            let at = move |v: f32| (v / side).floor() as i64;
            (at(this[0])..=at(this[2]))
                .flat_map(move |y| (at(this[1])..=at(this[3])).map(move |x| (octave, y, x)))
        };
        let repeated = octaves.iter().any(|&octave| {
            covered(octave).any(|cell| {
                cells.get(&cell).is_some_and(|rows| {
                    rows.iter().any(|&k| {
                        let b = boxes.row(k);
                        let other = [b[0], b[1], b[2], b[3]];
                        let height = f64::from(this[2].min(other[2]) - this[0].max(other[0]));
                        let width = f64::from(this[3].min(other[3]) - this[1].max(other[1]));
                        if height <= 0.0 || width <= 0.0 {
                            return false;
                        }
                        let (common, a, b) = (height * width, area(&this), area(&other));
                        common > iou * (a + b - common) || common > contained * a.min(b)
                    })
                })
            })
        });
        if repeated {
            continue;
        }
        let size = (this[2] - this[0]).max(this[3] - this[1]).max(1.0);
        let octave = size.log2().ceil() as i32;
        if !octaves.contains(&octave) {
            octaves.push(octave);
        }
        for cell in covered(octave) {
            cells.entry(cell).or_default().push(i);
        }
        kept.push(i);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_better_of_two_and_what_is_apart() {
        let boxes = ndarray::arr2(&[
            [0f32, 0.0, 10.0, 10.0],
            [1.0, 0.0, 11.0, 10.0],
            [20.0, 0.0, 30.0, 10.0],
            [3.0, 3.0, 5.0, 5.0],
        ]);
        assert_eq!(suppress(boxes.view(), 0.25, 0.6).unwrap(), [0, 2]);
    }
}
