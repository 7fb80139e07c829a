//! Core errors become the exceptions of `nanospa.errors`, by kind.

use nanospa_core::error::Error;
use pyo3::prelude::*;

/// Raises the class that `nanospa.errors` has for the kind of `error`.
pub(crate) fn raise(py: Python<'_>, error: Error) -> PyErr {
    let class = py
        .import("nanospa.errors")
        .and_then(|module| module.getattr("BY_KIND"))
        .and_then(|table| table.get_item(error.kind()))
        .and_then(|class| class.call1((error.to_string(),)));
    match class {
        Ok(exception) => PyErr::from_value(exception),
        Err(lookup) => lookup,
    }
}

/// Every kind of error the kernels can raise.
#[pyfunction]
pub(crate) fn error_kinds() -> Vec<&'static str> {
    Error::KINDS.to_vec()
}
