//! Bindings of the segment kernels.

use nanospa_core::segment;
use numpy::{IntoPyArray, PyArray2};
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
