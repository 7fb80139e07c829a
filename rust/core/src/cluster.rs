//! Kernels of the cluster stage.

pub mod spanning_tree;
