"""Tables of an acquisition: events, surveys, tiles that were looked at, samples of focus curves.

Integers that do not apply are -1, floats NaN, text empty.
"""

from __future__ import annotations

from nanospa.schema.particles import Column
from nanospa.schema.store import ACQUISITION, FOCUS_CURVES, SURVEY_TABLE, TILES

#: Fates of a tile: an image was taken; it looked empty; it was left out for a reason that stands beside it; the session ended before.
TILE_STATES = ("imaged", "empty", "skipped", "not reached")

#: One row an event, in order; dimension `event`.
EVENT_COLUMNS = (
    Column("number", "1", "int32", "number of the event"),
    Column("kind", "1", "str", "start, move, focus, survey, image, drift, skip, fault, pause or end"),
    Column("clock_s", "s", "float64", "time of the instrument at the end of the event"),
    Column("duration_s", "s", "float64", "time of the instrument that the event took"),
    Column("position", "1", "int32", "stage position of the raster"),
    Column("survey", "1", "int32", "survey"),
    Column("image", "1", "int32", "image"),
    Column("tile", "1", "int32", "tile, or particle, of the survey"),
    Column(
        "stage_y_um",
        "um",
        "float64",
        "of a move where the stage reads to be, of a frame the position of its centre; increasing with the row",
    ),
    Column("stage_x_um", "um", "float64", "likewise, increasing with the column"),
    Column("target_y_um", "um", "float64", "where a move was to go"),
    Column("target_x_um", "um", "float64", "where a move was to go"),
    Column("defocus_nm", "nm", "float64", "defocus of a frame; of a focus the one it ended at"),
    Column("mode", "1", "str", "coarse or fine focus; of a drift whether an image or a look at a particle showed it"),
    Column("verdict", "1", "str", "what came of a focus: fitted, best_sample, rolled_back or no_signal"),
    Column("pixel_size_y_nm", "nm", "float64", "pixel size of a frame along y"),
    Column("pixel_size_x_nm", "nm", "float64", "pixel size of a frame along x"),
    Column("height_px", "px", "int32", "rows of a frame"),
    Column("width_px", "px", "int32", "columns of a frame"),
    Column("dwell_time_s", "s", "float64", "dwell time of a pixel of a frame"),
    Column("electrons_per_nm2", "1/nm^2", "float64", "electron dose of the event where it scanned; NaN where the beam current is unknown"),
    Column("drift_y_nm", "nm", "float64", "displacement since the survey, rows"),
    Column("drift_x_nm", "nm", "float64", "displacement since the survey, columns"),
    Column("drift_rate_nm_per_min", "nm/min", "float64", "speed of that displacement"),
    Column("since_survey_s", "s", "float64", "time from the survey to the image that was compared with it"),
    Column("confidence", "1", "float64", "confidence of the displacement"),
    Column("applied", "1", "bool", "whether the displacement was taken up"),
    Column("what", "1", "str", "what was left out: position, tile, particle or focus"),
    Column("reason", "1", "str", "why it was left out, or why the session paused or ended"),
    Column("error", "1", "str", "kind of error"),
    Column("message", "1", "str", "what the error, or the focus, said"),
    Column("step", "1", "str", "step that failed"),
    Column("attempt", "1", "int32", "which attempt at it, from 1"),
    Column("action", "1", "str", "what was done about it: retry, skip or pause"),
    Column("recovery", "1", "bool", "whether it only brought the microscope back to where it was before an interruption"),
)

#: One row a survey; dimension `survey`.
SURVEY_COLUMNS = (
    Column("stack", "1", "str", "name of the stack under surveys/"),
    Column("index", "1", "int32", "position in the stack"),
    Column("position", "1", "int32", "stage position of the raster"),
    Column("row", "1", "int32", "row of that position"),
    Column("column", "1", "int32", "column of that position"),
    Column("stage_y_um", "um", "float64", "position of the survey's centre, put right by what overlaps; increasing with the row"),
    Column("stage_x_um", "um", "float64", "likewise, increasing with the column"),
    Column("read_y_um", "um", "float64", "position of the survey's centre as the stage read it"),
    Column("read_x_um", "um", "float64", "position of the survey's centre as the stage read it"),
    Column("height_px", "px", "int32", "rows"),
    Column("width_px", "px", "int32", "columns"),
    Column("pixel_size_y_nm", "nm", "float64", "pixel size along y"),
    Column("pixel_size_x_nm", "nm", "float64", "pixel size along x"),
    Column("defocus_nm", "nm", "float64", "defocus"),
    Column("dwell_time_s", "s", "float64", "dwell time of a pixel"),
    Column("time", "1", "str", "time of recording, ISO 8601"),
    Column("detector", "1", "str", "detector"),
    Column("electrons_per_nm2", "1/nm^2", "float64", "electron dose"),
    Column("clock_s", "s", "float64", "time of the instrument at its end"),
    Column("n_tiles", "1", "int32", "tiles, or particles, looked at"),
    Column("n_selected", "1", "int32", "of them chosen for an image"),
    Column("n_imaged", "1", "int32", "of them imaged"),
)

#: One row a tile, or a particle, that was looked at; dimension `row`.
TILE_COLUMNS = (
    Column("survey", "1", "int32", "survey it belongs to"),
    Column("position", "1", "int32", "stage position of the raster"),
    Column("tile", "1", "int32", "number in the survey"),
    Column("tile_row", "1", "int32", "row of the tile in the survey"),
    Column("tile_column", "1", "int32", "column of the tile in the survey"),
    Column("stage_y_um", "um", "float64", "position of its centre, increasing with the row"),
    Column("stage_x_um", "um", "float64", "position of its centre, increasing with the column"),
    Column("height_um", "um", "float64", "its extent along y"),
    Column("width_um", "um", "float64", "its extent along x"),
    Column("n_found", "1", "int32", "particles found in it in the survey"),
    Column("selected", "1", "bool", "whether it was chosen for an image"),
    Column("state", "1", "str", "imaged, empty, skipped or not reached"),
    Column("reason", "1", "str", "why it was chosen, or left out"),
    Column("image", "1", "int32", "its image"),
)

#: One row a sample; dimension `sample`. What holds for the whole curve stands in every row of it.
FOCUS_COLUMNS = (
    Column("event", "1", "int32", "event that the curve belongs to"),
    Column("focus", "1", "int32", "number of the curve"),
    Column("mode", "1", "str", "coarse or fine"),
    Column("position", "1", "int32", "stage position of the raster"),
    Column("image", "1", "int32", "image that a fine focus was made for"),
    Column("clock_s", "s", "float64", "time of the instrument at its end"),
    Column("verdict", "1", "str", "fitted, best_sample, rolled_back or no_signal"),
    Column("message", "1", "str", "what the focus said"),
    Column("start_nm", "nm", "float64", "defocus it started from"),
    Column("final_nm", "nm", "float64", "defocus it ended at"),
    Column("centre_nm", "nm", "float64", "centre of the fitted Gaussian"),
    Column("width_nm", "nm", "float64", "standard deviation of the fitted Gaussian"),
    Column("amplitude", "1", "float64", "amplitude of the fitted Gaussian"),
    Column("offset", "1", "float64", "offset of the fitted Gaussian"),
    Column("defocus_nm", "nm", "float64", "defocus of the sample"),
    Column("sharpness", "1", "float64", "sharpness of the image there"),
)

#: Columns of each table by its name in the store.
COLUMNS: dict[str, tuple[Column, ...]] = {
    ACQUISITION: EVENT_COLUMNS,
    SURVEY_TABLE: SURVEY_COLUMNS,
    TILES: TILE_COLUMNS,
    FOCUS_CURVES: FOCUS_COLUMNS,
}

#: Dimension of each table.
DIMENSIONS = {ACQUISITION: "event", SURVEY_TABLE: "survey", TILES: "row", FOCUS_CURVES: "sample"}
