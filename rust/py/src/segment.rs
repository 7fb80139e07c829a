//! Bindings of the segment kernels.

use nanospa_core::pixel::Pixel;
use nanospa_core::segment;
use ndarray::ArrayView2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyReadonlyArray2, PyReadonlyArrayDyn};
use pyo3::prelude::*;

use crate::array::{Image, dispatch};
use crate::error::raise;

#[pyfunction]
pub(crate) fn gaussian<'py>(
    py: Python<'py>,
    image: Image<'py>,
    sigma_px: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let out = dispatch!(image, view => py.detach(|| segment::gaussian::gaussian(view, sigma_px, threads)));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn tophat<'py>(
    py: Python<'py>,
    image: Image<'py>,
    size_px: usize,
    threads: usize,
) -> PyResult<Bound<'py, PyAny>> {
    dispatch!(image, view => {
        let out = py.detach(|| segment::tophat::tophat(view, size_px, threads));
        Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py).into_any())
    })
}

#[pyfunction]
pub(crate) fn erode<'py>(
    py: Python<'py>,
    mask: PyReadonlyArray2<'py, bool>,
    radius_px: usize,
    threads: usize,
) -> Bound<'py, PyArray2<bool>> {
    let view = mask.as_array();
    py.detach(|| segment::erode::erode(view, radius_px, threads))
        .into_pyarray(py)
}

#[pyfunction]
pub(crate) fn distance_transform<'py>(
    py: Python<'py>,
    mask: PyReadonlyArrayDyn<'py, bool>,
    sampling: Vec<f64>,
    squared: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let view = mask.as_array();
    let kernel = segment::distance_transform::distance_transform;
    let out = py.detach(|| kernel(view, &sampling, squared, threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

/// Smallest and largest pixel as float64, exact for every pixel type.
#[pyfunction]
pub(crate) fn extent(py: Python<'_>, image: Image<'_>, threads: usize) -> Option<(f64, f64)> {
    fn as_f64<T: Pixel>(view: ArrayView2<'_, T>, threads: usize) -> Option<(f64, f64)> {
        let (low, high) = segment::histogram::extent(view, threads)?;
        Some((low.to_f64(), high.to_f64()))
    }
    dispatch!(image, view => py.detach(|| as_f64(view, threads)))
}

/// Pixels of each level of an integer image, or of each bin between `edges`.
#[pyfunction]
pub(crate) fn histogram<'py>(
    py: Python<'py>,
    image: Image<'py>,
    edges: Option<Vec<f64>>,
    threads: usize,
) -> Bound<'py, PyArray1<u64>> {
    use segment::histogram::{bins, levels};
    let counts = match edges {
        Some(edges) => dispatch!(image, view => py.detach(|| bins(view, &edges, threads))),
        None => dispatch!(image, view => py.detach(|| levels(view, threads))),
    };
    counts.into_pyarray(py)
}

#[pyfunction]
pub(crate) fn li(py: Python<'_>, image: Image<'_>, threads: usize) -> Option<f64> {
    dispatch!(image, view => py.detach(|| segment::li::li(view, threads)))
}
