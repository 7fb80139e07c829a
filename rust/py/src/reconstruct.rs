//! Binding of `nanospa_core::reconstruct`.

use nanospa_core::reconstruct::fourier_volume::{self, FourierVolume};
use numpy::{Complex32, IntoPyArray, PyArray1, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;

use crate::error::raise;

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
    let out = py.detach(|| fourier_volume::samples(volume, &places, threads));
    Ok(out.into_pyarray(py))
}
