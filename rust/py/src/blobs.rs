//! Bindings of the kernels of automatic segmentation.

use nanospa_core::segment;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::array::{Image, dispatch};
use crate::error::raise;

type Blobs<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>);

#[pyfunction]
pub(crate) fn blob_columns() -> Vec<&'static str> {
    segment::blobs::COLUMNS.to_vec()
}

#[pyfunction]
pub(crate) fn blobs<'py>(
    py: Python<'py>,
    image: Image<'py>,
    last: i32,
    threads: usize,
) -> PyResult<Blobs<'py>> {
    let out = dispatch!(image, view => py.detach(|| segment::blobs::blobs(view, last, threads)));
    let out = out.map_err(|e| raise(py, e))?;
    Ok((out.table.into_pyarray(py), out.radii.into_pyarray(py)))
}

#[pyfunction]
pub(crate) fn suppress<'py>(
    py: Python<'py>,
    boxes: PyReadonlyArray2<'py, f32>,
    iou: f64,
    contained: f64,
) -> PyResult<Bound<'py, PyArray1<usize>>> {
    let boxes = boxes.as_array();
    let kept = py.detach(|| segment::suppress::suppress(boxes, iou, contained));
    Ok(kept.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn outlines<'py>(
    py: Python<'py>,
    image: Image<'py>,
    seeds: PyReadonlyArray2<'py, f32>,
    radii: PyReadonlyArray2<'py, f32>,
    level: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (seeds, radii) = (seeds.as_array(), radii.as_array());
    let out = dispatch!(image, view => py.detach(|| {
        segment::outlines::outlines(view, seeds, radii, level, threads)
    }));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn paint<'py>(
    py: Python<'py>,
    shape: (usize, usize),
    centres: PyReadonlyArray2<'py, f32>,
    radii: PyReadonlyArray2<'py, f32>,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let (centres, radii) = (centres.as_array(), radii.as_array());
    let labels = py.detach(|| segment::outlines::paint(shape, centres, radii));
    Ok(labels.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn refine<'py>(
    py: Python<'py>,
    image: Image<'py>,
    labels: PyReadonlyArray2<'py, i32>,
    level: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let labels = labels.as_array();
    let out = dispatch!(image, view => py.detach(|| segment::refine::refine(view, labels, level, threads)));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}
