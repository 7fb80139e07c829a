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
    if values.get("attempt") is not None:
        # Events count how often it had failed before.
        values["attempt"] += 1
    return {**values, "tile": _number(values), "number": row["number"], "kind": row["kind"]}


def _number(values: Mapping[str, Any]) -> Any:
    """Number of a tile, or of a particle where single particles are imaged."""
    return values.get("tile", values.get("particle"))


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
            tiles = [*(values.get("tiles") or ()), *(values.get("particles") or ())]
            counts = {"n_tiles": len(tiles), "n_selected": sum(bool(tile.get("selected")) for tile in tiles)}
            made.append({**where, **values, **counts, "stack": stack, "index": index})
    return made


def _tiles(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    plan = _first(rows, "start").get("plan") or {}
    images = {(r["values"].get("survey"), _number(r["values"])): r["values"] for r in rows if r["kind"] == "image"}
    made: list[dict[str, Any]] = []
    place: dict[tuple[Any, Any], dict[str, Any]] = {}
    # A skip names its position; the survey there is the last one taken at it.
    last_of: dict[Any, Any] = {}
    for row in rows:
        values = row["values"]
        if row["kind"] == "survey":
            survey = values.get("survey")
            last_of[values.get("position")] = survey
            for tile in (*(values.get("tiles") or ()), *(values.get("particles") or ())):
                made.append(_tile(values, tile, images.get((survey, _number(tile))), plan))
                place[survey, _number(tile)] = made[-1]
        elif row["kind"] == "skip":
            survey = values.get("survey", last_of.get(values.get("position")))
            whole = values.get("what") == "position"
            for (of_survey, number), found in place.items():
                if of_survey == survey and (whole or number == _number(values)) and found["state"] == "not reached":
                    found.update(state="skipped", reason=values.get("reason"))
    return made


def _tile(survey: Mapping[str, Any], tile: Mapping[str, Any], image: Mapping[str, Any] | None, plan: Mapping[str, Any]) -> dict[str, Any]:
    """A tile or particle with its place on the stage and its fate as far as the survey tells it."""
    field_y, field_x = (
        survey.get(f"pixel_size_{axis}_nm", np.nan) * survey.get(side, np.nan) for axis, side in (("y", "height_px"), ("x", "width_px"))
    )
    if "particle" in tile:
        height = width = float(plan.get("particle_field_nm") or tile.get("size_nm") or np.nan)
        y, x = (float(tile.get(f"{axis}_nm", np.nan)) for axis in "yx")
    else:
        n = int(plan.get("tiles") or 0) or np.nan
        height, width = field_y / n, field_x / n
        y, x = (tile.get("row", np.nan) + 0.5) * height - field_y / 2, (tile.get("column", np.nan) + 0.5) * width - field_x / 2
    # A particle is one.
    n_found, selected = tile.get("n_found", 1 if "particle" in tile else None), bool(tile.get("selected"))
    left_out = "skipped" if n_found else "empty"
    return {
        "survey": survey.get("survey"),
        "position": survey.get("position"),
        "tile": _number(tile),
        "tile_row": tile.get("row"),
        "tile_column": tile.get("column"),
        "stage_y_um": survey.get("stage_y_um", np.nan) + y / 1000,
        "stage_x_um": survey.get("stage_x_um", np.nan) + x / 1000,
        "height_um": height / 1000,
        "width_um": width / 1000,
        "n_found": n_found,
        "selected": selected,
        "state": "imaged" if image is not None else "not reached" if selected else left_out,
        "reason": tile.get("reason"),
        "image": None if image is None else image.get("image"),
    }


def _focus_samples(rows: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    number = 0
    for row in rows:
        values = row["values"]
        if row["kind"] != "focus":
            continue
        fit = values.get("fit") or {}
        whole = {name: values.get(name) for name in ("mode", "position", "image", "clock_s", "verdict", "message", "start_nm")}
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
