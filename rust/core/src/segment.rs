//! Kernels of the segment stage.

pub mod gaussian;
