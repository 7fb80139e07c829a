//! Kernels of the segment stage.

pub mod distance_transform;
pub mod erode;
pub mod gaussian;
pub mod histogram;
pub mod li;
pub mod tophat;
