//! Reconstruction of a volume from projections along unknown directions.
