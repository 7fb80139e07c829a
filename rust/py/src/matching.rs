//! Bindings of the kernels of `nanospa_core::reconstruct` that bring images and views together.

use nanospa_core::reconstruct::fourier_volume::FourierVolume;
use nanospa_core::reconstruct::match_views as matching;
use nanospa_core::reconstruct::pose::Pose;
use nanospa_core::reconstruct::refine_poses::{self as poses, Refinement};
use nanospa_core::reconstruct::rings::{self as kernel, Circles};
use ndarray::{Array1, Array2, Array3};
use numpy::{
    Complex32, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArray4, PyReadonlyArray1,
    PyReadonlyArray2, PyReadonlyArray3, PyReadonlyArray4,
};
use pyo3::prelude::*;

use crate::error::raise;

#[pyfunction]
pub(crate) fn rings<'py>(
    py: Python<'py>,
    images: PyReadonlyArray3<f32>,
    radii: PyReadonlyArray1<f32>,
    weights: PyReadonlyArray1<f32>,
    n_angles: usize,
    centrosymmetric: bool,
    shifts: PyReadonlyArray2<f32>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray4<Complex32>>> {
    let circles = Circles {
        radii: radii.as_slice()?,
        weights: weights.as_slice()?,
        n_angles,
        centrosymmetric,
    };
    let (images, shifts) = (images.as_array(), shifts.as_array());
    let out = py.detach(|| kernel::rings(images, &circles, shifts, threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn view_rings<'py>(
    py: Python<'py>,
    grid: PyReadonlyArray3<Complex32>,
    n: usize,
    rotations: PyReadonlyArray3<f64>,
    radii: PyReadonlyArray1<f32>,
    weights: PyReadonlyArray1<f32>,
    n_angles: usize,
    centrosymmetric: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArray3<Complex32>>> {
    let circles = Circles {
        radii: radii.as_slice()?,
        weights: weights.as_slice()?,
        n_angles,
        centrosymmetric,
    };
    let volume = FourierVolume::new(grid.as_array(), n).map_err(|e| raise(py, e))?;
    let rotations = rotations.as_array();
    let out = py.detach(|| kernel::view_rings(volume, rotations, &circles, threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

type Matches<'py> = (
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray2<i32>>,
    Bound<'py, PyArray3<f32>>,
);

#[pyfunction]
#[pyo3(signature = (images, views, n_angles, centrosymmetric, mirror, interpolate, shifts, candidates, threads))]
pub(crate) fn match_views<'py>(
    py: Python<'py>,
    images: PyReadonlyArray4<Complex32>,
    views: PyReadonlyArray3<Complex32>,
    n_angles: usize,
    centrosymmetric: bool,
    mirror: bool,
    interpolate: bool,
    shifts: PyReadonlyArray2<f32>,
    candidates: Option<PyReadonlyArray2<i64>>,
    threads: usize,
) -> PyResult<Matches<'py>> {
    let search = matching::Search {
        n_angles,
        centrosymmetric,
        mirror,
        interpolate,
        shifts: shifts.as_array(),
        candidates: candidates.as_ref().map(|c| c.as_array()),
    };
    let (images, views) = (images.as_array(), views.as_array());
    let out = py
        .detach(|| matching::match_views(images, views, &search, threads))
        .map_err(|e| raise(py, e))?;
    Ok((
        out.scores.into_pyarray(py),
        out.angles.into_pyarray(py),
        out.shift_indices.into_pyarray(py),
        out.offsets.into_pyarray(py),
    ))
}

type Poses<'py> = (
    Bound<'py, PyArray3<f64>>,
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

#[pyfunction]
pub(crate) fn refine_poses<'py>(
    py: Python<'py>,
    grid: PyReadonlyArray3<Complex32>,
    n: usize,
    images: PyReadonlyArray3<f32>,
    rotations: PyReadonlyArray3<f64>,
    shifts: PyReadonlyArray2<f64>,
    scales: PyReadonlyArray1<f64>,
    radii_max: PyReadonlyArray1<f64>,
    weights: PyReadonlyArray1<f32>,
    fit_scale: bool,
    steps: usize,
    threads: usize,
) -> PyResult<Poses<'py>> {
    let volume = FourierVolume::new(grid.as_array(), n).map_err(|e| raise(py, e))?;
    let (rotations, shifts) = (rotations.as_array(), shifts.as_array());
    let starts: Vec<Pose> = scales
        .as_array()
        .iter()
        .enumerate()
        .map(|(i, &scale)| Pose {
            rotation: [0, 1, 2].map(|r| [0, 1, 2].map(|c| rotations[[i, r, c]])),
            shift: [shifts[[i, 0]], shifts[[i, 1]]],
            scale,
        })
        .collect();
    let refinement = Refinement {
        radii: radii_max.as_slice()?,
        weights: weights.as_slice()?,
        fit_scale,
        steps,
    };
    let images = images.as_array();
    let out = py
        .detach(|| poses::refine_poses(volume, images, &starts, &refinement, threads))
        .map_err(|e| raise(py, e))?;
    let of = |i: usize| out[i].0;
    let m = out.len();
    Ok((
        Array3::from_shape_fn((m, 3, 3), |(i, r, c)| of(i).rotation[r][c]).into_pyarray(py),
        Array2::from_shape_fn((m, 2), |(i, c)| of(i).shift[c]).into_pyarray(py),
        Array1::from_shape_fn(m, |i| of(i).scale).into_pyarray(py),
        Array1::from_shape_fn(m, |i| out[i].1).into_pyarray(py),
    ))
}
