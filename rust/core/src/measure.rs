//! Kernels of the measure stage.

pub mod particle_images;
pub mod region_properties;

mod bits;
mod hull;
mod intensity;
mod local_background;
mod moments;
mod perimeters;
mod regions;
mod symmetry;
