//! Bindings of the simulation kernels.

use nanospa_core::simulate::cell_means as cells;
use nanospa_core::simulate::deposit as spread;
use nanospa_core::simulate::detect::{self as detector, Detector};
use nanospa_core::simulate::film::{Film, Hole, Wave};
use nanospa_core::simulate::scan::{Place, Scan};
use nanospa_core::simulate::specimen_image::{self as specimen, Patch};
use nanospa_core::simulate::{body::Body, thickness as kernel};
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
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

/// The rows of a table with N columns; the Python side makes the tables.
fn rows_of<const N: usize>(table: &PyReadonlyArray2<f64>) -> PyResult<Vec<[f64; N]>> {
    let table = table.as_array();
    if table.ncols() != N {
        let message = format!("expected {N} columns, found {}", table.ncols());
        return Err(PyValueError::new_err(message));
    }
    let row = |r: ndarray::ArrayView1<f64>| std::array::from_fn(|i| r[i]);
    Ok(table.rows().into_iter().map(row).collect())
}

/// Patches from parallel lists.
fn patches<'a>(
    values: &'a [PyReadonlyArray2<f32>],
    placed: &PyReadonlyArray2<f64>,
) -> PyResult<Vec<Patch<'a>>> {
    let placed: Vec<[f64; 4]> = rows_of(placed)?;
    if placed.len() != values.len() {
        let message = format!("expected {} patches, found {}", placed.len(), values.len());
        return Err(PyValueError::new_err(message));
    }
    let patch = |(values, [y, x, spacing, level]): (&'a PyReadonlyArray2<f32>, [f64; 4])| Patch {
        values: values.as_array(),
        centre: [y, x],
        spacing,
        level,
    };
    Ok(values.iter().zip(placed).map(patch).collect())
}

fn scan(
    py: Python,
    rows: &PyReadonlyArray2<f64>,
    columns: &PyReadonlyArray2<f64>,
) -> PyResult<Scan> {
    let (rows, columns): (Vec<Place>, Vec<Place>) = (rows_of(rows)?, rows_of(columns)?);
    Scan::new(rows, columns).map_err(|e| raise(py, e))
}

#[pyfunction]
pub(crate) fn specimen_image<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    columns: PyReadonlyArray2<'py, f64>,
    film_mean: f64,
    waves: PyReadonlyArray2<'py, f64>,
    holes: PyReadonlyArray2<'py, f64>,
    hole_edge: f64,
    values: Vec<PyReadonlyArray2<'py, f32>>,
    placed: PyReadonlyArray2<'py, f64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let scan = scan(py, &rows, &columns)?;
    let wave = |[y, x, phase, amplitude]: [f64; 4]| Wave {
        k: [y, x],
        phase,
        amplitude,
    };
    let hole = |[y, x, radius]: [f64; 3]| Hole {
        centre: [y, x],
        radius,
    };
    let film = Film {
        mean: film_mean,
        waves: rows_of(&waves)?.into_iter().map(wave).collect(),
        holes: rows_of(&holes)?.into_iter().map(hole).collect(),
        edge: hole_edge,
    };
    let patches = patches(&values, &placed)?;
    let out = py.detach(|| specimen::specimen_image(&scan, &film, &patches, threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn specimen_labels<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    columns: PyReadonlyArray2<'py, f64>,
    values: Vec<PyReadonlyArray2<'py, f32>>,
    placed: PyReadonlyArray2<'py, f64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let scan = scan(py, &rows, &columns)?;
    let patches = patches(&values, &placed)?;
    let out = py.detach(|| specimen::specimen_labels(&scan, &patches, threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn detect<'py>(
    py: Python<'py>,
    fraction: PyReadonlyArray2<'py, f32>,
    electrons_per_pixel: f64,
    gain: f64,
    offset: f64,
    read_noise: f64,
    key: (u64, u64),
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<u16>>> {
    let fraction = fraction.as_array();
    let settings = Detector {
        electrons_per_pixel,
        gain,
        offset,
        read_noise,
    };
    let out = py.detach(|| detector::detect(fraction, settings, [key.0, key.1], threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn deposit<'py>(
    py: Python<'py>,
    points: PyReadonlyArray2<'py, f64>,
    weight: f64,
    half: usize,
    spacing: f64,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let points = points.as_array();
    let out = py.detach(|| spread::deposit(points, weight, half, spacing));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn cell_means<'py>(
    py: Python<'py>,
    body: &str,
    shape_parameter: f64,
    to_body: [[f64; 3]; 3],
    half: usize,
    spacing: f64,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let out = Body::new(body, shape_parameter)
        .and_then(|body| py.detach(|| cells::cell_means(body, to_body, half, spacing)));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}
