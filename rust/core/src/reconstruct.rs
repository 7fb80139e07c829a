//! Reconstruction of a volume from projections along unknown directions.

pub mod accumulated;
mod angular_series;
pub mod fourier_volume;
mod half_disc;
pub mod insert;
pub mod kaiser_bessel;
pub mod match_views;
mod normal_equations;
pub mod padded_transform;
mod paraboloid;
pub mod pose;
pub mod project;
pub mod refine_poses;
pub mod rings;
pub mod shells;
pub mod symmetrise;
mod tiles;
pub mod view;
