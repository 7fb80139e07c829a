//! Kernels of simulated specimens.

pub mod body;
pub mod cell_means;
pub mod deposit;
pub mod detect;
pub mod film;
mod polyhedra;
mod quick_power;
pub mod random;
pub mod scan;
pub mod specimen_image;
pub mod thickness;
pub mod vector;
