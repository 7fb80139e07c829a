//! Binding of `nanospa_core::reconstruct`.

use nanospa_core::error::Error;
use nanospa_core::reconstruct::accumulated;
use nanospa_core::reconstruct::fourier_volume::{self as fourier, FourierVolume, grid_shape};
use nanospa_core::reconstruct::insert as insertion;
use nanospa_core::reconstruct::project as projection;
use nanospa_core::reconstruct::shells;
use nanospa_core::reconstruct::symmetrise::symmetrise;
use nanospa_core::reconstruct::view::View;
use ndarray::{Dim, Ix3};
use numpy::{
    Complex32, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1,
    PyReadonlyArray2, PyReadonlyArray3,
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

type Grids<'py> = (Bound<'py, PyArray3<Complex32>>, Bound<'py, PyArray3<f32>>);

#[pyfunction]
pub(crate) fn insert<'py>(
    py: Python<'py>,
    images: PyReadonlyArray3<f32>,
    rotations: PyReadonlyArray3<f64>,
    shifts: PyReadonlyArray2<f64>,
    scales: PyReadonlyArray1<f64>,
    weights: Option<PyReadonlyArray2<f32>>,
    copies: Vec<[[f64; 3]; 3]>,
    operations: Vec<[[i8; 3]; 3]>,
    inversion: bool,
    threads: usize,
) -> PyResult<Grids<'py>> {
    let views = views(py, rotations, shifts, scales)?;
    let images = images.as_array();
    let weights = weights.as_ref().map(|w| w.as_array());
    let n = images.dim().1;
    let (z, y, x) = grid_shape(n);
    let shape: Ix3 = Dim([z, y, x]);
    // Both from numpy, which asks for huge pages.
    let density = PyArray3::<f32>::zeros(py, shape, false);
    let mut dense = density.readwrite();
    let dense_slice = dense.as_slice_mut()?;
    let numerator = fresh(py, shape, |numerator: &mut [Complex32]| {
        insertion::insert(
            images,
            &views,
            weights,
            &copies,
            numerator,
            dense_slice,
            threads,
        )?;
        symmetrise(numerator, dense_slice, n, &operations, inversion)
    })?;
    drop(dense);
    Ok((numerator, density))
}

/// A C-contiguous grid of the box `n`.
fn grid_slice<'a, T: numpy::Element>(
    py: Python<'_>,
    grid: &'a PyReadonlyArray3<T>,
    n: usize,
) -> PyResult<&'a [T]> {
    let (z, y, x) = grid_shape(n);
    match grid.as_slice() {
        Ok(slice) if slice.len() == z * y * x => Ok(slice),
        _ => Err(raise(
            py,
            Error::ShapeMismatch {
                argument: "grid",
                expected: vec![z, y, x],
                found: grid.as_array().shape().to_vec(),
            },
        )),
    }
}

#[pyfunction]
pub(crate) fn backprojection<'py>(
    py: Python<'py>,
    numerator: PyReadonlyArray3<Complex32>,
    n: usize,
    threads: usize,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let numerator = grid_slice(py, &numerator, n)?;
    let out = py.detach(|| accumulated::backprojection(numerator, n, threads));
    Ok(out.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn accumulated_volume<'py>(
    py: Python<'py>,
    numerator: PyReadonlyArray3<Complex32>,
    density: PyReadonlyArray3<f32>,
    n: usize,
    noise_to_signal: Vec<f32>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let (numerator, density) = (grid_slice(py, &numerator, n)?, grid_slice(py, &density, n)?);
    let out = py.detach(|| accumulated::volume(numerator, density, n, &noise_to_signal, threads));
    Ok(out.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn shell_products<'py>(
    py: Python<'py>,
    a: PyReadonlyArray3<Complex32>,
    b: PyReadonlyArray3<Complex32>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (a, b) = (a.as_array(), b.as_array());
    let rows = py
        .detach(|| shells::shell_products(a, b, threads))
        .map_err(|e| raise(py, e))?;
    Ok(ndarray::Array2::from(rows).into_pyarray(py))
}
