"""The frame table: one row a frame, dimension `frame`."""

from __future__ import annotations

from nanospa.schema.particles import INTENSITY, Column

#: Where the frame is and how it was taken; NaN or empty text where the file does not say.
ORIGIN = (
    Column("stack", "1", "str", "name of the stack under frames/"),
    Column("index", "1", "int32", "position in the stack"),
    Column("source", "1", "str", "file the frame came from"),
    Column("height_px", "px", "int32", "rows"),
    Column("width_px", "px", "int32", "columns"),
    Column("pixel_size_y_nm", "nm", "float64", "pixel size along y"),
    Column("pixel_size_x_nm", "nm", "float64", "pixel size along x"),
    Column("stage_y_um", "um", "float64", "position of the frame's centre, increasing with the row"),
    Column("stage_x_um", "um", "float64", "position of the frame's centre, increasing with the column"),
    Column("defocus_nm", "nm", "float64", "defocus"),
    Column("dwell_time_s", "s", "float64", "dwell time of a pixel"),
    Column("time", "1", "str", "time of recording, ISO 8601"),
)

#: What an acquisition knows of its frames beside `ORIGIN`.
ACQUIRED = (
    Column("position", "1", "int32", "stage position of the raster"),
    Column("survey", "1", "int32", "survey the image was chosen from"),
    Column("tile", "1", "int32", "tile, or particle, of the survey"),
    Column("electrons_per_nm2", "1/nm^2", "float64", "electron dose of the frame; NaN where the beam current is unknown"),
)

#: What `measure.frame_flags` gives for a frame.
FLAGS = (
    Column("focus_score", "1", "float64", "sharpness: width of the power spectrum above the noise, as a fraction of the Nyquist frequency"),
    Column("blur", "1", "bool", "whether the frame is out of focus, against the frame before it or the limit"),
    Column("charging_score", "1", "float64", "steps of the mean intensity between neighbouring lines, in their usual spread"),
    Column("charging", "1", "bool", "whether lines jump as they do on a charging specimen"),
    Column("drift_y_px", "px", "float64", "displacement of the content against the frame before it, rows; NaN without one"),
    Column("drift_x_px", "px", "float64", "displacement of the content against the frame before it, columns; NaN without one"),
    Column("drift_px", "px", "float64", "length of that displacement; NaN without a frame before"),
    Column("drift", "1", "bool", "whether the displacement exceeds the limit"),
    Column("saturated_fraction", "1", "float64", "share of the pixels at or above the saturation level; NaN where no level is known"),
    Column("saturated", "1", "bool", "whether that share exceeds the limit"),
)

#: What the segmentation of the frame gave.
SEGMENTATION = (
    Column("polarity", "1", "str", "bright or dark particles"),
    Column("threshold", INTENSITY, "float64", "global threshold; NaN where there is none"),
    Column("n_particles", "1", "int32", "particles found"),
    Column("n_removed_small", "1", "int32", "regions dropped because they are smaller than the limit"),
    Column("n_removed_border", "1", "int32", "regions dropped because they touch the border"),
)

#: Every column of a frame table, in order.
FRAME_COLUMNS: tuple[Column, ...] = (*ORIGIN, *ACQUIRED, *FLAGS, *SEGMENTATION)

_BY_NAME = {column.name: column for column in FRAME_COLUMNS}


def column(name: str) -> Column | None:
    """The column of that name, None where the schema has none.

    Parameters
    ----------
    name : str
        Name of a variable of a frame table.

    Returns
    -------
    Column or None
    """
    return _BY_NAME.get(name)
