"""Events of an acquisition as tables: one row an event, a survey, a tile, a sample of a focus curve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.acquire.events import Event
from nanospa.schema.acquisition import COLUMNS, DIMENSIONS
from nanospa.schema.particles import Column
from nanospa.schema.store import ACQUISITION, FOCUS_CURVES, SURVEY_TABLE, TILES

if TYPE_CHECKING:
    import xarray as xr

#: Values of an event that have another name in the table, or one that says more.
_RENAMED = {"seconds": "duration_s", "dy_nm": "drift_y_nm", "dx_nm": "drift_x_nm", "rate_nm_per_min": "drift_rate_nm_per_min"}
_EMPTY = {"i": -1, "f": np.nan, "b": False}


def event_tables(events: Iterable[Event | Mapping[str, Any]], *, survey_places: Sequence[tuple[str, int]] = ()) -> dict[str, xr.Dataset]:
    """Tables of an acquisition from its events.

    Parameters
    ----------
    events : iterable of Event or mapping
        Events from the first on, or mappings with their fields.
    survey_places : sequence of (str, int)
        Stack and position of each survey's image in a store.

    Returns
    -------
    dict of str to xarray.Dataset
        ``acquisition``: one row an event, dimension `event`; its attributes hold the plan, the raster and how the session stands.
        ``survey_table``: one row a survey, dimension `survey`. ``tiles``: one row a tile or particle that was looked at, dimension `row`.
        ``focus_curves``: one row a sample of a focus curve, dimension `sample`.

    Examples
    --------
    >>> import nanospa as ns
    >>> move = {"clock_s": 3.0, "seconds": 3.0, "position": 0, "stage_y_um": 0.1, "stage_x_um": 0.2}
    >>> tables = ns.acquire.event_tables([{"number": 0, "kind": "move", "values": move}])
    >>> tables["acquisition"]["duration_s"].values.tolist(), tables["tiles"].sizes["row"]
    ([3.0], 0)
    """
    rows = [_plain(event) for event in events]
    surveys, tiles, plan = _surveys(rows, survey_places), _tiles(rows), _first(rows, "start")
    for number, survey in enumerate(surveys):
        survey["n_imaged"] = sum(tile["survey"] == survey.get("survey", number) and tile["state"] == "imaged" for tile in tiles)
    tables = {
        ACQUISITION: [_event_row(row) for row in rows],
        SURVEY_TABLE: surveys,
        TILES: tiles,
        FOCUS_CURVES: list(_focus_samples(rows)),
    }
    made = {name: _dataset(name, of_table) for name, of_table in tables.items()}
    made[ACQUISITION].attrs.update(_standing(rows, plan))
    return made


def _plain(event: Event | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(event, Event):
        return {"number": event.number, "kind": event.kind, "values": dict(event.values)}
    return {"number": event["number"], "kind": event["kind"], "values": dict(event.get("values") or {})}


def _first(rows: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next((row["values"] for row in rows if row["kind"] == kind), {})


def _standing(rows: list[dict[str, Any]], start: Mapping[str, Any]) -> dict[str, Any]:
    """What the whole session says: its plan, its raster, whether it ended."""
    last = next((row for row in reversed(rows) if row["kind"] in ("pause", "end")), None)
    # Events after a pause mean that the session was resumed.
    over = last is not None and (last["kind"] == "end" or last is rows[-1])
    return {
        "state": "running" if not over or last is None else "ended" if last["kind"] == "end" else "paused",
        "reason": str(last["values"].get("reason", "")) if over and last is not None else "",
        "plan": dict(start.get("plan") or {}),
        "plan_hash": str(start.get("plan_hash", "")),
        "raster_y_um": list(start.get("stage_y_um") or []),
        "raster_x_um": list(start.get("stage_x_um") or []),
    }


def _event_row(row: dict[str, Any]) -> dict[str, Any]:
    values = {_RENAMED.get(name, name): value for name, value in row["values"].items()}
    if row["kind"] == "start":
        # Its lists are the raster, which is among the table's attributes.
        values = {name: value for name, value in values.items() if name not in ("stage_y_um", "stage_x_um")}
    return {**values, "number": row["number"], "kind": row["kind"], "electrons_per_nm2": _dose(values)}


def _dose(values: Mapping[str, Any]) -> Any:
    return values.get("electrons_per_nm2", values.get("dose_electrons_per_nm2", values.get("dose")))


def _surveys(rows: list[dict[str, Any]], places: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    move: Mapping[str, Any] = {}
    for row in rows:
        values = row["values"]
        if row["kind"] == "move":
            move = values
        elif row["kind"] == "survey":
            stack, index = places[len(made)] if len(made) < len(places) else ("", -1)
            where = {name: move.get(name) for name in ("row", "column")}
            tiles = values.get("tiles") or []
            counts = {"n_tiles": len(tiles), "n_selected": sum(bool(tile.get("selected")) for tile in tiles)}
            made.append({**where, **values, **counts, "stack": stack, "index": index})
    return made


def _tiles(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    per_side = int((_first(rows, "start").get("plan") or {}).get("tiles") or 0)
    images = {(r["values"].get("survey"), r["values"].get("tile")): r["values"] for r in rows if r["kind"] == "image"}
    made: list[dict[str, Any]] = []
    place: dict[tuple[Any, Any], dict[str, Any]] = {}
    # A skip names its position; the survey there is the last one taken at it.
    last_of: dict[Any, Any] = {}
    for row in rows:
        values = row["values"]
        if row["kind"] == "survey":
            survey = values.get("survey")
            last_of[values.get("position")] = survey
            for tile in values.get("tiles") or []:
                image = images.get((survey, tile.get("tile")))
                made.append(_tile(values, tile, image, per_side))
                place[survey, tile.get("tile")] = made[-1]
        elif row["kind"] == "skip":
            survey = values.get("survey", last_of.get(values.get("position")))
            whole = values.get("what") == "position"
            for (of_survey, tile), found in place.items():
                if of_survey == survey and (whole or tile == values.get("tile")) and found["state"] == "not reached":
                    found.update(state="skipped", reason=values.get("reason"))
    return made


def _tile(survey: Mapping[str, Any], tile: Mapping[str, Any], image: Mapping[str, Any] | None, per_side: int) -> dict[str, Any]:
    """A tile with its place on the stage and its fate as far as the survey tells it."""
    given = all(name in tile for name in ("y0", "x0", "height", "width"))
    if given:
        y0, x0, height, width = (float(tile[name]) for name in ("y0", "x0", "height", "width"))
    elif per_side and tile.get("row") is not None and tile.get("column") is not None:
        y0, x0, height, width = tile["row"] / per_side, tile["column"] / per_side, 1 / per_side, 1 / per_side
    elif image is not None:
        y0, x0, height, width = (float(image.get(name, np.nan)) for name in ("y0", "x0", "height", "width"))
    else:
        y0 = x0 = height = width = np.nan
    size_y, size_x = (
        survey.get(f"pixel_size_{axis}_nm", np.nan) * survey.get(name, np.nan) / 1000
        for axis, name in (("y", "height_px"), ("x", "width_px"))
    )
    n_found, selected = tile.get("n_found"), bool(tile.get("selected"))
    left_out = "empty" if not n_found else "skipped"
    state = "imaged" if image is not None else "not reached" if selected else left_out
    return {
        "survey": survey.get("survey"),
        "position": survey.get("position"),
        "tile": tile.get("tile"),
        "tile_row": tile.get("row"),
        "tile_column": tile.get("column"),
        "stage_y_um": survey.get("stage_y_um", np.nan) + (y0 + height / 2 - 0.5) * size_y,
        "stage_x_um": survey.get("stage_x_um", np.nan) + (x0 + width / 2 - 0.5) * size_x,
        "height_um": height * size_y,
        "width_um": width * size_x,
        "n_found": n_found,
        "selected": selected,
        "state": state,
        "reason": tile.get("reason") if state in ("skipped", "empty") else "",
        "image": None if image is None else image.get("image"),
    }


def _focus_samples(rows: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    number = 0
    for row in rows:
        values = row["values"]
        if row["kind"] != "focus":
            continue
        fit = values.get("fit") or {}
        whole = {name: values.get(name) for name in ("mode", "position", "clock_s", "verdict", "message", "start_nm")}
        whole |= {name: fit.get(name) for name in ("centre_nm", "width_nm", "amplitude", "offset")}
        whole |= {"event": row["number"], "focus": number, "final_nm": values.get("defocus_nm")}
        for defocus, sharpness in zip(values.get("samples_nm") or [], values.get("sharpness") or [], strict=False):
            yield {**whole, "defocus_nm": defocus, "sharpness": sharpness}
        number += 1


def _dataset(name: str, rows: list[dict[str, Any]]) -> xr.Dataset:
    import xarray as xr

    dimension = DIMENSIONS[name]
    return xr.Dataset(
        {
            column.name: (dimension, _values(column, rows), {"units": column.unit, "long_name": column.description})
            for column in COLUMNS[name]
        }
    )


def _values(column: Column, rows: list[dict[str, Any]]) -> Any:
    found = [row.get(column.name) for row in rows]
    if column.dtype == "str":
        return np.array(["" if value is None else str(value) for value in found], dtype=object)
    dtype = np.dtype(column.dtype)
    return np.array([_EMPTY[dtype.kind] if value is None else value for value in found], dtype=dtype)
