//! Kernels of simulated specimens.

pub mod body;
pub mod detect;
pub mod film;
pub mod random;
pub mod scan;
pub mod specimen_image;
pub mod thickness;
