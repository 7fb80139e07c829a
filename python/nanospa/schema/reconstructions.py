"""The table of reconstructions, one row a cluster, and what a reconstruction adds to the particle table."""

from __future__ import annotations

from nanospa.schema.particles import Column

#: Dimension of the table.
DIM = "reconstruction"

#: What is known of every cluster.
CLUSTER = (
    Column("name", "1", "str", "name of the group under volumes/, where there is one"),
    Column("cluster", "1", "int32", "cluster"),
    Column("n_images", "1", "int32", "particle images given"),
    Column("n_left_out", "1", "int32", "particles of the cluster left out: cut by the border, seen before in another frame, or aggregates"),
    Column("symmetry", "1", "str", "point group assumed"),
    Column("verdict", "1", "str", "confident, doubtful, not determined, sphere, under-determined, not tried or failed"),
    Column("flags", "1", "str", "warnings by name, with commas"),
)

#: What is known of a volume; NaN where there is none.
VOLUME = (
    Column("box_px", "px", "int32", "side of the volume; 0 where there is none"),
    Column("pixel_size_nm", "nm", "float64", "voxel size"),
    Column("resolution_nm", "nm", "float64", "where the masked Fourier shell correlation falls below 0.143"),
    Column("resolution_05_nm", "nm", "float64", "where it falls below 0.5"),
    Column("mean_correlation", "1", "float64", "mean normalised cross-correlation of the images with the reprojections"),
    Column("explained", "1", "float64", "share of the images' variance beyond noise that the reprojections explain"),
    Column("margin", "1", "float64", "mean correlation less that of the best other basin"),
    Column("margin_z", "1", "float64", "that margin over its standard error"),
    Column("volume_nm3", "nm^3", "float64", "volume of the model: a particle of scale 1"),
    Column("mean_volume_nm3", "nm^3", "float64", "mean volume of the particles: the model's times the cube of each scale"),
    Column("area_nm2", "nm^2", "float64", "surface area of the model"),
    Column("sphericity", "1", "float64", "surface area of the sphere of equal volume over that of the model"),
)

#: The truth of simulated particles, of those in the cluster.
TRUTH = (
    Column("truth_population", "1", "str", "population that most of the particles are of"),
    Column("truth_shape", "1", "str", "its shape"),
    Column("truth_share", "1", "float64", "share of the particles that are of it"),
    Column("truth_volume_nm3", "nm^3", "float64", "mean true volume of the particles"),
)

#: Every column of the table, in order.
RECONSTRUCTION_COLUMNS: tuple[Column, ...] = (*CLUSTER, *VOLUME, *TRUTH)
