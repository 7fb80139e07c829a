//! Kernels of simulated specimens.

pub mod body;
pub mod thickness;
