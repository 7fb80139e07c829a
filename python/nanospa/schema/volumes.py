"""Volumes: what `nanospa.reconstruct.reconstruct` gives, and what is kept of it under `volumes/<name>` in a store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """A variable of a reconstruction.

    Attributes
    ----------
    dims : tuple of str
        Its dimensions.
    dtype : str
        Its dtype.
    unit : str
        Its unit, "" for none.
    meaning : str
        One line.
    """

    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str


#: Every variable of a reconstruction, by name. `half`: the two half-sets; `detector` = x, y, beam; `axis` = x, y, z of the volume;
#: `shell`: radius in Fourier space, with the coordinate `frequency` [1/nm]; `basin`: distinct end models, best first.
VARIABLES: dict[str, Variable] = {
    "volume": Variable(
        ("z", "y", "x"), "float32", "", "density: sums along the beam, in voxels, are the pixel values of the mean particle"
    ),
    "half_volumes": Variable(
        ("half", "z", "y", "x"), "float32", "", "volumes from either half of the images, refined apart, filtered and masked as the whole"
    ),
    "rotations": Variable(("image", "detector", "axis"), "float64", "", "p_image = R p_volume"),
    "shifts": Variable(("image", "direction"), "float64", "px", "displacement (dx, dy) of the particle from the centre of its image"),
    "scale": Variable(("image",), "float64", "", "size of the particle over that of the volume"),
    "volume_ratio": Variable(("image",), "float64", "", "volume of the particle over that of the volume, as its integrated intensity says"),
    "correlation": Variable(
        ("image",),
        "float64",
        "",
        "normalised cross-correlation with the reprojection from the other half, over the shells on which the halves agree",
    ),
    "kept": Variable(("image",), "bool", "", "whether the image went into the volume"),
    "half_set": Variable(("image",), "int8", "", "half-set of the image, 0 or 1"),
    "fsc": Variable(("shell",), "float64", "", "Fourier shell correlation of the unfiltered half volumes inside the enclosing ball"),
    "fsc_unmasked": Variable(("shell",), "float64", "", "likewise in the whole box"),
    "shape_class": Variable(("image",), "int64", "", "class of the image where several shapes were looked for, largest first"),
    "class_volumes": Variable(("class", "z", "y", "x"), "float32", "", "density of each class"),
    "start_scores": Variable(("start",), "float64", "", "mean correlation at the end of each start"),
    "start_basin": Variable(("start",), "int64", "", "basin in which each start ended"),
    "start_kind": Variable(("start",), "str", "", "what the start began from: ball or random"),
    "basin_scores": Variable(("basin",), "float64", "", "mean correlation of each distinct end model after closure, at the search's box"),
    "basin_origin": Variable(("basin",), "str", "", "how the basin was found: a start, or a permutation of another basin's corners"),
}

#: What the attributes hold, by name.
ATTRIBUTES: dict[str, str] = {
    "symmetry": "point group assumed",
    "centrosymmetric": "whether an inversion centre was assumed",
    "pixel_size_nm": "voxel size [nm]",
    "n_images": "images given",
    "resolution_nm": "where the masked Fourier shell correlation falls below 0.143 [nm]",
    "resolution_05_nm": "likewise below 0.5 [nm]",
    "verdict": "confident, doubtful, not determined, sphere or under-determined",
    "margin": "mean correlation of the model less that of its best other basin",
    "margin_z": "that margin over its standard error across images",
    "flags": "list of warnings by name: under_determined, mixed, heterogeneous, symmetry, biased_views, cut_by_border",
    "preferred_symmetry": "point group that the images prefer to the assumed one, or the assumed one",
    "coverage": "share of the directions that differ which are seen, over what as many even views would reach",
    "evenness": "evenness of the view directions, 0 … 1",
    "size_reliability": "share of the sizes' spread along the main mode of variation that is not noise",
    "mean_correlation": "mean of the images' correlations",
    "explained": "share of the images' variance beyond noise that the reprojections explain",
    "level": "isosurface level of the volume",
    "volume_nm3": "volume of the mean particle inside the isosurface [nm³]",
    "area_nm2": "its area [nm²]",
    "sphericity": "surface of the sphere of equal volume over its area",
    "seed": "seed of the starts",
    "settings": "every setting, as JSON",
}
