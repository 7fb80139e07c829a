//! Bindings of the cluster kernels.

use nanospa_core::cluster::spanning_tree as kernel;
use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::error::raise;

/// Edges (n - 1, 2) and their lengths.
type Tree<'py> = (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray1<f64>>);

#[pyfunction]
pub(crate) fn spanning_tree<'py>(
    py: Python<'py>,
    points: PyReadonlyArray2<'py, f64>,
    core: PyReadonlyArray1<'py, f64>,
) -> PyResult<Tree<'py>> {
    let (points, core) = (points.as_array(), core.as_array());
    let out = py.detach(|| kernel::spanning_tree(points, core));
    let (edges, lengths) = out.map_err(|e| raise(py, e))?;
    let edges = Array2::from_shape_fn((edges.len(), 2), |(k, end)| edges[k][end] as i64);
    Ok((edges.into_pyarray(py), lengths.into_pyarray(py)))
}

#[pyfunction]
pub(crate) fn neighbour_distance<'py>(
    py: Python<'py>,
    points: PyReadonlyArray2<'py, f64>,
    k: usize,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let points = points.as_array();
    let out = py.detach(|| kernel::neighbour_distance(points, k));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}
