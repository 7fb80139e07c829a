//! Kernels of the segment stage.

pub mod blobs;
mod bounding_boxes;
pub mod distance_transform;
pub mod erode;
pub mod gaussian;
mod height_queue;
pub mod histogram;
pub mod li;
pub mod local_otsu;
pub mod local_threshold;
mod mask_runs;
pub mod outline;
pub mod outlines;
mod peer_queue;
mod queue;
pub mod refine;
pub mod rolling_ball;
pub mod scale_space;
pub mod seeds;
pub mod select;
pub mod split;
pub mod suppress;
pub mod tophat;
pub mod watershed;
