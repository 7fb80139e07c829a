//! Bindings of the measure kernels.

use nanospa_core::measure::region_properties::Background;
use nanospa_core::measure::{particle_images as cut, region_properties as kernel};
use numpy::{IntoPyArray, PyArray2, PyArray3, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::array::{Image, dispatch};
use crate::error::raise;

type Properties<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>);

/// An image beats a level; neither means the ring around each region.
fn chosen<'a>(image: &'a Option<PyReadonlyArray2<'_, f32>>, level: Option<f64>) -> Background<'a> {
    match (image, level) {
        (Some(values), _) => Background::Image(values.as_array()),
        (None, Some(level)) => Background::Constant(level),
        (None, None) => Background::Ring,
    }
}

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
    let background = chosen(&background_image, background_level);
    let out = dispatch!(image, view => py.detach(|| {
        kernel::region_properties(view, labels, pixel_size_nm, background, saturation, radial_bins, threads)
    }))
    .map_err(|e| raise(py, e))?;
    Ok((
        out.columns.into_pyarray(py),
        out.radial_profile.into_pyarray(py),
    ))
}

#[pyfunction]
#[pyo3(signature = (image, labels, box_px, masked, background_level, background_image, subpixel, threads))]
pub(crate) fn particle_images<'py>(
    py: Python<'py>,
    image: Image<'py>,
    labels: PyReadonlyArray2<'py, i32>,
    box_px: usize,
    masked: bool,
    background_level: Option<f64>,
    background_image: Option<PyReadonlyArray2<'py, f32>>,
    subpixel: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let labels = labels.as_array();
    let background = chosen(&background_image, background_level);
    let out = dispatch!(image, view => py.detach(|| {
        cut::particle_images(view, labels, box_px, masked, background, subpixel, threads)
    }));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}
