//! Registration table of `nanospa._core`.

use pyo3::prelude::*;

mod array;
mod blobs;
mod cluster;
mod error;
mod matching;
mod measure;
mod reconstruct;
mod segment;
mod simulate;

/// Compiled kernels of nanospa; documented in the Python functions of the same names.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::blobs::{blob_columns, blobs, outlines, paint, refine, suppress};
    #[pymodule_export]
    use super::cluster::{neighbour_distance, spanning_tree};
    #[pymodule_export]
    use super::error::error_kinds;
    #[pymodule_export]
    use super::matching::{match_views, refine_poses, rings, view_rings};
    #[pymodule_export]
    use super::measure::{particle_images, region_properties, region_property_names};
    #[pymodule_export]
    use super::reconstruct::{
        accumulated_volume, backprojection, fourier_samples, fourier_volume, insert, project,
        shell_products,
    };
    #[pymodule_export]
    use super::segment::{
        distance_transform, erode, extent, gaussian, histogram, li, local_otsu, local_threshold,
        rolling_ball, tophat,
    };
    #[pymodule_export]
    use super::segment::{label, seeds, select, split, watershed};
    #[pymodule_export]
    use super::simulate::{
        cell_means, deposit, detect, specimen_image, specimen_labels, thickness,
    };
}
