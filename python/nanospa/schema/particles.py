"""The particle table: every column with its unit, dtype and meaning; one row a particle, dimension `particle`."""

from __future__ import annotations

from typing import NamedTuple

#: Unit of columns that carry the image's own intensity values.
INTENSITY = "intensity"


class Column(NamedTuple):
    """One column of a table.

    Parameters
    ----------
    name : str
        Name of the variable.
    unit : str
        Its unit, as written in the attribute ``units``.
    dtype : str
        numpy dtype; ``str`` for variable-length text.
    description : str
        What it is, as written in the attribute ``long_name``.
    """

    name: str
    unit: str
    dtype: str
    description: str


#: Which particle, where.
PLACE = (
    Column("label", "1", "int32", "label in the frame's label image"),
    Column("centroid_y_px", "px", "float64", "centroid of the particle's pixels, row"),
    Column("centroid_x_px", "px", "float64", "centroid of the particle's pixels, column"),
    Column("weighted_centroid_y_px", "px", "float64", "centroid weighted with the intensity, row"),
    Column("weighted_centroid_x_px", "px", "float64", "centroid weighted with the intensity, column"),
    Column("bbox_y0_px", "px", "int32", "bounding box, first row"),
    Column("bbox_x0_px", "px", "int32", "bounding box, first column"),
    Column("bbox_y1_px", "px", "int32", "bounding box, row after the last"),
    Column("bbox_x1_px", "px", "int32", "bounding box, column after the last"),
    Column("touches_border", "1", "bool", "whether a pixel lies on the border of the frame"),
)

#: Sizes in pixels; always there.
SIZE_PX = (
    Column("area_px", "px", "int64", "area as the number of pixels"),
    Column("equivalent_diameter_px", "px", "float64", "diameter of the circle of the same area"),
    Column("perimeter_px", "px", "float64", "length of the line through the border pixels' centres (4-neighbour border)"),
    Column("perimeter_crofton_px", "px", "float64", "perimeter from intersections with lines in four directions"),
    Column("convex_area_px", "px", "int64", "area of the convex hull image"),
    Column("major_axis_px", "px", "float64", "major axis of the ellipse with the same second moments"),
    Column("minor_axis_px", "px", "float64", "minor axis of the ellipse with the same second moments"),
    Column("feret_max_px", "px", "float64", "greatest distance between two points of the outline"),
    Column("feret_min_px", "px", "float64", "smallest distance between two parallel tangents"),
)

#: The same sizes measured in nm; only where the pixel size is known.
SIZE_NM = (
    Column("area_nm2", "nm^2", "float64", "area"),
    Column("equivalent_diameter_nm", "nm", "float64", "diameter of the circle of the same area"),
    Column("perimeter_nm", "nm", "float64", "length of the line through the border pixels' centres (4-neighbour border)"),
    Column("perimeter_crofton_nm", "nm", "float64", "perimeter from intersections with lines in four directions"),
    Column("convex_area_nm2", "nm^2", "float64", "area of the convex hull image"),
    Column("major_axis_nm", "nm", "float64", "major axis of the ellipse with the same second moments"),
    Column("minor_axis_nm", "nm", "float64", "minor axis of the ellipse with the same second moments"),
    Column("feret_max_nm", "nm", "float64", "greatest distance between two points of the outline"),
    Column("feret_min_nm", "nm", "float64", "smallest distance between two parallel tangents"),
)

#: Shapes: numbers without a length; from the geometry in nm where the pixel size is known.
SHAPE = (
    Column("circularity", "1", "float64", "4 pi area / perimeter^2 with the 4-neighbour perimeter"),
    Column("circularity_crofton", "1", "float64", "4 pi area / perimeter^2 with the Crofton perimeter"),
    Column("solidity", "1", "float64", "area / convex area"),
    Column("orientation_rad", "rad", "float64", "angle from the row axis to the major axis, -pi/2 to pi/2, towards larger columns"),
    Column("eccentricity", "1", "float64", "eccentricity of the ellipse with the same second moments"),
    Column("aspect_ratio", "1", "float64", "major axis / minor axis"),
    Column("roundness", "1", "float64", "4 area / (pi major axis^2)"),
    Column("extent", "1", "float64", "area / area of the bounding box"),
    Column("euler_number", "1", "int32", "pieces minus holes, 8-connected"),
    *(Column(f"hu_{i}", "1", "float64", f"Hu moment {i} of the outline's area") for i in range(1, 8)),
    *(
        Column(f"symmetry_{n}", "1", "float64", f"share of the particle that a turn by 360/{n} degrees about its centroid maps onto it")
        for n in (2, 3, 4, 6)
    ),
)

#: Intensities inside the particle and around it.
BRIGHTNESS = (
    Column("intensity_total", INTENSITY, "float64", "sum of the intensity above the local background"),
    Column("intensity_sum", INTENSITY, "float64", "sum of the intensity as it is"),
    Column("intensity_mean", INTENSITY, "float64", "mean intensity"),
    Column("intensity_max", INTENSITY, "float64", "greatest intensity"),
    Column("intensity_min", INTENSITY, "float64", "smallest intensity"),
    Column("intensity_std", INTENSITY, "float64", "standard deviation of the intensity inside the particle"),
    Column("local_background", INTENSITY, "float64", "mean intensity of the ring around the particle, neighbours excluded"),
    Column("local_background_std", INTENSITY, "float64", "standard deviation of the intensity of that ring"),
    Column("snr", "1", "float64", "(mean intensity - local background) / standard deviation of the local background"),
    Column("saturated_fraction", "1", "float64", "share of the pixels at or above the saturation level; NaN where no level is known"),
)

#: Mean intensity above the local background in rings about the centroid; dimensions (particle, radius).
RADIAL_PROFILE = Column("radial_profile", INTENSITY, "float64", "mean intensity above the local background at a relative radius")
#: Coordinate of the dimension `radius`.
RADIUS = Column("radius", "1", "float64", "distance from the centroid / distance of the farthest pixel's far side")

#: Added when frames become a population.
RUN = (
    Column("frame", "1", "int32", "row of the frame table"),
    Column("score", "1", "float32", "confidence of the segmentation; NaN where the method gives none"),
    Column("duplicate", "1", "bool", "whether the particle is already counted in an overlapping frame"),
    Column("cluster", "1", "int32", "cluster; -1 = outlier or excluded"),
)

#: Added where clusters become volumes.
RECONSTRUCTED = (
    Column("volume_nm3", "nm^3", "float64", "volume in 3D: that of the cluster's model times the cube of the scale; NaN without a model"),
    Column("size_scale", "1", "float64", "size of the particle over that of its cluster's model; NaN without one"),
)


def measured(calibrated: bool) -> tuple[Column, ...]:
    """Columns that `measure` gives, one value a particle, in order.

    Parameters
    ----------
    calibrated : bool
        Whether the pixel size is known: only then there are columns in nm.

    Returns
    -------
    tuple of Column
    """
    return (*PLACE, *SIZE_PX, *(SIZE_NM if calibrated else ()), *SHAPE, *BRIGHTNESS)


#: Every column a particle table may have, in order.
PARTICLE_COLUMNS: tuple[Column, ...] = (*RUN, *RECONSTRUCTED, *measured(True), RADIAL_PROFILE)

_BY_NAME = {column.name: column for column in (*PARTICLE_COLUMNS, RADIUS)}


def column(name: str) -> Column | None:
    """The column of that name, None where the schema has none.

    Parameters
    ----------
    name : str
        Name of a variable of a particle table.

    Returns
    -------
    Column or None
    """
    return _BY_NAME.get(name)


def attributes(name: str) -> dict[str, str]:
    """xarray attributes ``units`` and ``long_name`` of a column; empty where the schema has none.

    Parameters
    ----------
    name : str
        Name of a variable of a particle table.

    Returns
    -------
    dict
    """
    found = column(name)
    return {} if found is None else {"units": found.unit, "long_name": found.description}
