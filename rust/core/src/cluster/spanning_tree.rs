//! Minimum spanning tree of mutual reachability distances, without the matrix of all distances.

use ndarray::{ArrayView1, ArrayView2};

use crate::error::{Error, Result};

/// Edges (from, to) in the order in which Prim's algorithm adds them, beginning at point 0, and their lengths.
///
/// The distance of two points is the largest of their Euclidean distance and their core distances. Of equally near points the one
/// with the lowest index comes first, attached to the point that was added earliest.
pub fn spanning_tree(
    points: ArrayView2<'_, f64>,
    core: ArrayView1<'_, f64>,
) -> Result<(Vec<[usize; 2]>, Vec<f64>)> {
    let (n, d) = points.dim();
    if core.len() != n {
        return Err(Error::ShapeMismatch {
            argument: "core",
            expected: vec![n],
            found: vec![core.len()],
        });
    }
    let flat: Vec<f64> = points.iter().copied().collect();
    let row = |i: usize| &flat[i * d..(i + 1) * d];
    let mut outside: Vec<usize> = (1..n).collect();
    let mut best = vec![f64::INFINITY; n];
    let mut parent = vec![0; n];
    let (mut edges, mut lengths) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let mut newest = 0;
    while !outside.is_empty() {
        let from = row(newest);
        let mut nearest = 0;
        for (k, &i) in outside.iter().enumerate() {
            let distance = euclidean(from, row(i)).max(core[newest]).max(core[i]);
            if distance < best[i] {
                (best[i], parent[i]) = (distance, newest);
            }
            if best[i] < best[outside[nearest]] {
                nearest = k;
            }
        }
        // Order is kept, so that the lowest index wins a tie.
        newest = outside.remove(nearest);
        edges.push([parent[newest], newest]);
        lengths.push(best[newest]);
    }
    Ok((edges, lengths))
}

/// Distance of every point to its `k`-th nearest other point.
pub fn neighbour_distance(points: ArrayView2<'_, f64>, k: usize) -> Result<Vec<f64>> {
    let (n, d) = points.dim();
    if k == 0 || k >= n {
        return Err(Error::invalid(
            "k",
            "a number of 1 … number of points - 1",
            k,
        ));
    }
    let flat: Vec<f64> = points.iter().copied().collect();
    let row = |i: usize| &flat[i * d..(i + 1) * d];
    let mut distances = vec![0.0; n];
    Ok((0..n)
        .map(|i| {
            for (j, distance) in distances.iter_mut().enumerate() {
                *distance = euclidean(row(i), row(j));
            }
            // The point itself is the nearest.
            *distances.select_nth_unstable_by(k, f64::total_cmp).1
        })
        .collect())
}

fn euclidean(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(p, q)| (p - q) * (p - q))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn a_line_is_its_own_tree() {
        let points = array![[0.0], [10.0], [1.0], [3.0]];
        let (edges, lengths) = spanning_tree(points.view(), Array1::zeros(4).view()).unwrap();
        assert_eq!(edges, vec![[0, 2], [2, 3], [3, 1]]);
        assert_eq!(lengths, vec![1.0, 2.0, 7.0]);
    }

    #[test]
    fn core_distances_are_floors() {
        let points = array![[0.0], [1.0], [3.0]];
        let (_, lengths) = spanning_tree(points.view(), array![5.0, 0.0, 0.0].view()).unwrap();
        assert_eq!(lengths, vec![5.0, 2.0]);
    }

    #[test]
    fn neighbours_do_not_count_the_point_itself() {
        let points = array![[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]];
        assert_eq!(neighbour_distance(points.view(), 1).unwrap()[0], 1.0);
        assert_eq!(neighbour_distance(points.view(), 2).unwrap()[0], 5.0);
        assert!(neighbour_distance(points.view(), 3).is_err());
    }

    #[test]
    fn nothing_has_no_tree() {
        let none = ndarray::Array2::<f64>::zeros((0, 2));
        let (edges, _) = spanning_tree(none.view(), Array1::zeros(0).view()).unwrap();
        assert!(edges.is_empty());
        assert!(spanning_tree(array![[1.0]].view(), Array1::zeros(2).view()).is_err());
    }
}
