//! Bindings of the segment kernels. Masks come as bytes: those of a numpy bool array may be others than 0 and 1.

use nanospa_core::components::{self, Connectivity};
use nanospa_core::pixel::Pixel;
use nanospa_core::segment;
use nanospa_core::segment::seeds::Meaning;
use nanospa_core::segment::split::Splitting;
use nanospa_core::segment::watershed::Ties;
use ndarray::{ArrayView2, Axis, Ix3};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArray2,
    PyReadonlyArrayDyn, PyReadwriteArray2,
};
use pyo3::prelude::*;

use crate::array::{Image, dispatch, fresh};
use crate::error::raise;

#[pyfunction]
pub(crate) fn gaussian<'py>(
    py: Python<'py>,
    image: Image<'py>,
    sigma_px: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    use segment::gaussian::gaussian_into;
    dispatch!(image, view => fresh(py, view.raw_dim(), |out| {
        gaussian_into(view, sigma_px, threads, out)
    }))
}

#[pyfunction]
pub(crate) fn tophat<'py>(
    py: Python<'py>,
    image: Image<'py>,
    size_px: usize,
    threads: usize,
) -> PyResult<Bound<'py, PyAny>> {
    use segment::tophat::tophat_into;
    dispatch!(image, view => {
        let out = fresh(py, view.raw_dim(), |out| tophat_into(view, size_px, threads, out))?;
        Ok(out.into_any())
    })
}

#[pyfunction]
pub(crate) fn rolling_ball<'py>(
    py: Python<'py>,
    image: Image<'py>,
    radius_px: f64,
    intensity_scale: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    use segment::rolling_ball::rolling_ball_into;
    dispatch!(image, view => fresh(py, view.raw_dim(), |out| {
        rolling_ball_into(view, radius_px, intensity_scale, threads, out)
    }))
}

#[pyfunction]
pub(crate) fn erode<'py>(
    py: Python<'py>,
    mask: PyReadonlyArray2<'py, u8>,
    radius_px: usize,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let view = mask.as_array();
    fresh(py, view.raw_dim(), |out| {
        segment::erode::erode_into(view, radius_px, threads, out);
        Ok(())
    })
}

#[pyfunction]
pub(crate) fn distance_transform<'py>(
    py: Python<'py>,
    mask: PyReadonlyArrayDyn<'py, u8>,
    sampling: Vec<f64>,
    squared: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    use segment::distance_transform::distance_transform_into;
    let view = mask.as_array();
    fresh(py, view.raw_dim(), |out| {
        distance_transform_into(view, &sampling, squared, threads, out)
    })
}

/// Smallest and largest pixel as float64, exact for every pixel type.
#[pyfunction]
pub(crate) fn extent(py: Python<'_>, image: Image<'_>, threads: usize) -> Option<(f64, f64)> {
    fn as_f64<T: Pixel>(view: ArrayView2<'_, T>, threads: usize) -> Option<(f64, f64)> {
        let (low, high) = segment::histogram::extent(view, threads)?;
        Some((low.to_f64(), high.to_f64()))
    }
    dispatch!(image, view => py.detach(|| as_f64(view, threads)))
}

/// Pixels of each level of an integer image, or of each bin between `edges`.
#[pyfunction]
pub(crate) fn histogram<'py>(
    py: Python<'py>,
    image: Image<'py>,
    edges: Option<Vec<f64>>,
    threads: usize,
) -> Bound<'py, PyArray1<u64>> {
    use segment::histogram::{bins, levels};
    let counts = match edges {
        Some(edges) => dispatch!(image, view => py.detach(|| bins(view, &edges, threads))),
        None => dispatch!(image, view => py.detach(|| levels(view, threads))),
    };
    counts.into_pyarray(py)
}

#[pyfunction]
pub(crate) fn li(py: Python<'_>, image: Image<'_>, threads: usize) -> Option<f64> {
    dispatch!(image, view => py.detach(|| segment::li::li(view, threads)))
}

/// The labels of `mask` (2D or 3D) and their number.
#[pyfunction]
pub(crate) fn label<'py>(
    py: Python<'py>,
    mask: PyReadonlyArrayDyn<'py, u8>,
    connectivity: usize,
    threads: usize,
) -> PyResult<(Bound<'py, PyArrayDyn<i32>>, usize)> {
    let view = mask.as_array();
    let ndim = view.ndim();
    // numpy allocates: it asks for large pages, which makes the first write several times faster.
    let labels = PyArrayDyn::zeros(py, view.raw_dim(), false);
    let mut writable = labels.readwrite();
    let out = writable.as_array_mut();
    let n = py.detach(|| {
        let connectivity = Connectivity::new(connectivity, ndim)?;
        let (view, out) = match ndim {
            2 => (view.insert_axis(Axis(0)), out.insert_axis(Axis(0))),
            _ => (view, out),
        };
        match (
            view.into_dimensionality::<Ix3>(),
            out.into_dimensionality::<Ix3>(),
        ) {
            (Ok(view), Ok(out)) => components::label(view, connectivity, out, threads),
            _ => Err(nanospa_core::error::Error::invalid(
                "mask",
                "2 or 3 dimensions",
                ndim,
            )),
        }
    });
    drop(writable);
    Ok((labels, n.map_err(|e| raise(py, e))?))
}

/// Marker image of the seeds; `window` takes the separation as the side of ParticleSpy's window.
#[pyfunction]
pub(crate) fn seeds<'py>(
    py: Python<'py>,
    distance: PyReadonlyArray2<'py, f32>,
    labels: PyReadonlyArray2<'py, i32>,
    separation_px: usize,
    window: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let (distance, labels) = (distance.as_array(), labels.as_array());
    let markers = PyArray2::zeros(py, distance.raw_dim(), false);
    let mut writable = markers.readwrite();
    let mut out = writable.as_array_mut();
    let meaning = if window {
        Meaning::ParticleSpy
    } else {
        Meaning::Distance
    };
    let found =
        py.detach(|| segment::seeds::seeds(distance, labels, separation_px, meaning, threads));
    for pixel in found.map_err(|e| raise(py, e))?.0 {
        out[[pixel.y, pixel.x]] = pixel.seed;
    }
    drop(writable);
    Ok(markers)
}

#[pyfunction]
pub(crate) fn watershed<'py>(
    py: Python<'py>,
    landscape: Image<'py>,
    markers: PyReadonlyArray2<'py, i32>,
    mask: Option<PyReadonlyArray2<'py, u8>>,
    connectivity: usize,
    descending: bool,
    peer_ties: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<i32>>> {
    let markers = markers.as_array();
    let mask = mask.as_ref().map(|mask| mask.as_array());
    let labels = PyArray2::zeros(py, markers.raw_dim(), false);
    let mut writable = labels.readwrite();
    let out = writable.as_array_mut();
    let ties = if peer_ties {
        Ties::ParticleSpy
    } else {
        Ties::FirstReached
    };
    let flooded = dispatch!(landscape, view => py.detach(|| {
        let connectivity = Connectivity::new(connectivity, 2)?;
        segment::watershed::watershed(view, markers, mask, connectivity, descending, ties, out, threads)
    }));
    drop(writable);
    flooded.map_err(|e| raise(py, e))?;
    Ok(labels)
}

/// Splits the components 1 … `n` of `labels` in place: the highest label after it and the number of components without a seed.
#[pyfunction]
pub(crate) fn split<'py>(
    py: Python<'py>,
    mut labels: PyReadwriteArray2<'py, i32>,
    n: usize,
    erosion_radius_px: usize,
    separation_px: usize,
    min_area_px: usize,
    keep_all: bool,
    threads: usize,
) -> PyResult<(usize, usize)> {
    let view = labels.as_array_mut();
    let rule = Splitting {
        erosion_radius_px,
        separation_px,
        min_area_px,
        keep_all,
    };
    py.detach(|| segment::split::split(view, n, &rule, threads))
        .map_err(|e| raise(py, e))
}

/// Removes and renumbers the regions of `labels` in place: regions left, removed as small, removed at the border.
#[pyfunction]
pub(crate) fn select<'py>(
    py: Python<'py>,
    mut labels: PyReadwriteArray2<'py, i32>,
    n: usize,
    min_area_px: usize,
    clear_border: bool,
    threads: usize,
) -> PyResult<(usize, usize, usize)> {
    let view = labels.as_array_mut();
    let selected =
        py.detach(|| segment::select::select(view, n, min_area_px, clear_border, threads));
    let selected = selected.map_err(|e| raise(py, e))?;
    Ok((selected.n, selected.n_small, selected.n_border))
}

/// `rule` is "gaussian", "niblack" or "sauvola"; `range` belongs to the last.
#[pyfunction]
pub(crate) fn local_threshold<'py>(
    py: Python<'py>,
    image: Image<'py>,
    local_size_px: usize,
    rule: &str,
    k: f64,
    range: f64,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<bool>>> {
    use segment::local_threshold::{Rule, local_threshold};
    let rule = match rule {
        "niblack" => Rule::Niblack { k },
        "sauvola" => Rule::Sauvola { k, range },
        _ => Rule::Gaussian,
    };
    let out =
        dispatch!(image, view => py.detach(|| local_threshold(view, local_size_px, rule, threads)));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn local_otsu<'py>(
    py: Python<'py>,
    levels: PyReadonlyArray2<'py, u8>,
    wanted: PyReadonlyArray2<'py, u8>,
    local_size_px: usize,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<bool>>> {
    let (levels, wanted) = (levels.as_array(), wanted.as_array());
    let out = py.detach(|| segment::local_otsu::local_otsu(levels, wanted, local_size_px, threads));
    Ok(out.map_err(|e| raise(py, e))?.into_pyarray(py))
}
