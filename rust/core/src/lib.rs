//! Kernels of nanospa: pure Rust on array views, no Python.
//!
//! Stages (`segment`, `measure`, …) stand on a shared bottom (`pixel`, `parallel`, …), which stands on `error`.

pub mod components;
pub mod error;
pub mod fourier;
pub mod parallel;
pub mod pixel;
mod union_find;

pub mod cluster;
pub mod measure;
pub mod reconstruct;
pub mod segment;
pub mod simulate;
