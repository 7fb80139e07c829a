//! Bindings of the measure kernels.

use nanospa_core::measure::region_properties as kernel;
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::array::{Image, dispatch};
use crate::error::raise;

type Properties<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>);

#[pyfunction]
pub(crate) fn region_property_names() -> Vec<&'static str> {
    kernel::COLUMNS.to_vec()
}

#[pyfunction]
#[pyo3(signature = (image, labels, pixel_size_nm, background_level, background_image, saturation, radial_bins, threads))]
pub(crate) fn region_properties<'py>(
    py: Python<'py>,
    image: Image<'py>,
    labels: PyReadonlyArray2<'py, i32>,
    pixel_size_nm: Option<(f64, f64)>,
    background_level: Option<f64>,
    background_image: Option<PyReadonlyArray2<'py, f32>>,
    saturation: Option<f64>,
    radial_bins: usize,
    threads: usize,
) -> PyResult<Properties<'py>> {
    let labels = labels.as_array();
    let background = match (&background_image, background_level) {
        (Some(values), _) => kernel::Background::Image(values.as_array()),
        (None, Some(level)) => kernel::Background::Constant(level),
        (None, None) => kernel::Background::Ring,
    };
    let out = dispatch!(image, view => py.detach(|| {
        kernel::region_properties(view, labels, pixel_size_nm, background, saturation, radial_bins, threads)
    }))
    .map_err(|e| raise(py, e))?;
    Ok((
        out.columns.into_pyarray(py),
        out.radial_profile.into_pyarray(py),
    ))
}
