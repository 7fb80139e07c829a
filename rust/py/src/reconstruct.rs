//! Binding of `nanospa_core::reconstruct`.

use nanospa_core::error::Error;
use nanospa_core::reconstruct::fourier_volume::{self as fourier, FourierVolume, grid_shape};
use nanospa_core::reconstruct::project::{self as projection, View};
use ndarray::{Dim, Ix3};
use numpy::{
    Complex32, IntoPyArray, PyArray1, PyArray3, PyReadonlyArray1, PyReadonlyArray2,
    PyReadonlyArray3,
};
use pyo3::prelude::*;

use crate::array::fresh;
use crate::error::raise;

#[pyfunction]
pub(crate) fn fourier_volume<'py>(
    py: Python<'py>,
    volume: PyReadonlyArray3<f32>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray3<Complex32>>> {
    let volume = volume.as_array();
    let (z, y, x) = grid_shape(volume.dim().0);
    fresh(py, Dim([z, y, x]) as Ix3, |grid| {
        fourier::transform(volume, grid, threads)
    })
}

#[pyfunction]
pub(crate) fn fourier_samples<'py>(
    py: Python<'py>,
    grid: PyReadonlyArray3<Complex32>,
    n: usize,
    places: PyReadonlyArray2<f32>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray1<Complex32>>> {
    let volume = FourierVolume::new(grid.as_array(), n).map_err(|e| raise(py, e))?;
    let places: Vec<[f32; 3]> = places
        .as_array()
        .rows()
        .into_iter()
        .map(|k| [k[0], k[1], k[2]])
        .collect();
    let out = py.detach(|| fourier::samples(volume, &places, threads));
    Ok(out.into_pyarray(py))
}

/// Views from parallel arrays of one length.
fn views(
    py: Python<'_>,
    rotations: PyReadonlyArray3<f64>,
    shifts: PyReadonlyArray2<f64>,
    scales: PyReadonlyArray1<f64>,
) -> PyResult<Vec<View>> {
    let (rotations, shifts, scales) = (rotations.as_array(), shifts.as_array(), scales.as_array());
    let n = rotations.dim().0;
    if rotations.dim() != (n, 3, 3) || shifts.dim() != (n, 2) || scales.len() != n {
        let found = [rotations.shape(), shifts.shape(), scales.shape()].concat();
        let expected = vec![n, 3, 3, n, 2, n];
        let argument = "rotations, shifts, scales";
        let error = Error::ShapeMismatch {
            argument,
            expected,
            found,
        };
        return Err(raise(py, error));
    }
    let view = |i| View {
        detector: std::array::from_fn(|r| std::array::from_fn(|c| rotations[[i, r, c]])),
        shift: [shifts[[i, 0]], shifts[[i, 1]]],
        scale: scales[i],
    };
    Ok((0..n).map(view).collect())
}

#[pyfunction]
pub(crate) fn project<'py>(
    py: Python<'py>,
    grid: PyReadonlyArray3<Complex32>,
    n: usize,
    rotations: PyReadonlyArray3<f64>,
    shifts: PyReadonlyArray2<f64>,
    scales: PyReadonlyArray1<f64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let volume = FourierVolume::new(grid.as_array(), n).map_err(|e| raise(py, e))?;
    let views = views(py, rotations, shifts, scales)?;
    fresh(py, Dim([views.len(), n, n]) as Ix3, |out| {
        projection::project(volume, &views, out, threads)
    })
}
