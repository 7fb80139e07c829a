//! Dtype dispatch: the one place where numpy dtypes meet generic kernels.

use nanospa_core::error::Result;
use ndarray::Dimension;
use numpy::{
    Element, PyArray, PyArrayMethods, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::error::raise;

/// A 2D image of any pixel type, C-contiguous or strided.
pub(crate) enum Image<'py> {
    U8(PyReadonlyArray2<'py, u8>),
    U16(PyReadonlyArray2<'py, u16>),
    F32(PyReadonlyArray2<'py, f32>),
    F64(PyReadonlyArray2<'py, f64>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Image<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = object.extract() {
            return Ok(Self::U8(array));
        }
        if let Ok(array) = object.extract() {
            return Ok(Self::U16(array));
        }
        if let Ok(array) = object.extract() {
            return Ok(Self::F32(array));
        }
        if let Ok(array) = object.extract() {
            return Ok(Self::F64(array));
        }
        let found = match object.cast::<PyUntypedArray>() {
            Ok(array) => format!("{} with {} dimensions", array.dtype(), array.ndim()),
            Err(_) => object.get_type().name()?.to_string(),
        };
        // The Python wrappers check first and name the argument; this is the net below them.
        Err(PyTypeError::new_err(format!(
            "image: expected a 2D array of uint8, uint16, float32 or float64, found {found}"
        )))
    }
}

/// Runs `$body` with `$view` bound to the typed array view of `$image`.
macro_rules! dispatch {
    ($image:expr, $view:ident => $body:expr) => {
        match &$image {
            $crate::array::Image::U8(array) => {
                let $view = array.as_array();
                $body
            }
            $crate::array::Image::U16(array) => {
                let $view = array.as_array();
                $body
            }
            $crate::array::Image::F32(array) => {
                let $view = array.as_array();
                $body
            }
            $crate::array::Image::F64(array) => {
                let $view = array.as_array();
                $body
            }
        }
    };
}
pub(crate) use dispatch;

/// An array that `fill` fills without the GIL. numpy asks for huge pages where the allocator of Rust does not: a large array is
/// written up to three times as fast the first time.
pub(crate) fn fresh<'py, T: Element, D: Dimension>(
    py: Python<'py>,
    shape: D,
    fill: impl FnOnce(&mut [T]) -> Result<()> + Send,
) -> PyResult<Bound<'py, PyArray<T, D>>> {
    let out = PyArray::<T, D>::zeros(py, shape, false);
    let mut writable = out.readwrite();
    let slice = writable.as_slice_mut()?;
    py.detach(|| fill(slice)).map_err(|e| raise(py, e))?;
    drop(writable);
    Ok(out)
}
