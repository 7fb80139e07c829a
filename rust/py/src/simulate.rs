//! Bindings of the simulation kernels.

use nanospa_core::simulate::{body::Body, thickness as kernel};
use numpy::{IntoPyArray, PyArray2};
use pyo3::prelude::*;

use crate::error::raise;

#[pyfunction]
pub(crate) fn thickness<'py>(
    py: Python<'py>,
    body: &str,
    shape_parameter: f64,
    to_body: [[f64; 3]; 3],
    shape: (usize, usize),
    centre: (f64, f64),
    pixel_size: (f64, f64),
    supersampling: usize,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let out = Body::new(body, shape_parameter).and_then(|body| {
        py.detach(|| {
            kernel::thickness(
                body,
                to_body,
                shape,
                centre,
                pixel_size,
                supersampling,
                threads,
            )
        })
    });
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}
