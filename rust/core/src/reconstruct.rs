//! Reconstruction of a volume from projections along unknown directions.

pub mod fourier_volume;
pub mod kaiser_bessel;
pub mod padded_transform;
pub mod project;
