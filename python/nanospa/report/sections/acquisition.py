"""How the images were acquired: map, totals, what was skipped, what went wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.image_times import time_spent
from nanospa.report.quantity import duration, text, texts
from nanospa.report.run_view import RunView
from nanospa.report.sections.stage_svg import stage_svg, tile_word
from nanospa.report.stage_map import by_state, rectangles

#: Skips and faults that are listed one by one.
MOST_ROWS = 200

#: What the one-word reasons of a session mean.
_REASONS = {
    "done": "the whole area is done",
    "images": "it has the images it was asked for",
    "time": "its time is used up",
    "aborted": "it was aborted",
    "interrupted": "it was interrupted by hand",
}

Row = tuple[str, str]


def acquisition(view: RunView) -> dict[str, Any] | None:
    """Map, totals, skips and faults of an acquisition.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict or None
        ``standing`` (sentence, whether it is a warning), ``map`` (see `stage_svg`, or None), ``totals`` (name, value), ``troubles``
        (``head``, ``rows``, ``caption``, or None); None where nothing was acquired.
    """
    tables = (view.acquisition, view.survey_table, view.tiles, view.focus_curves)
    if not any(table is not None and any(table.sizes.values()) for table in tables):
        return None
    return {"standing": _standing(view), "map": stage_svg(view), "totals": totals(view), "troubles": _troubles(view)}


def totals(view: RunView) -> list[Row]:
    """Figures of the whole acquisition.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    list of (str, str)
        Name and value.
    """
    return [*_places(view), *_time(view), *_dose(view), *_focus(view), *_drift(view), *_faults(view)]


def _standing(view: RunView) -> dict[str, Any]:
    said = {} if view.acquisition is None else view.acquisition.attrs
    state, reason = str(said.get("state", "")), str(said.get("reason", ""))
    because = f": {_REASONS.get(reason, reason)}" if reason else ""
    if state == "ended":
        return {"text": f"The session has ended{because}.", "warning": reason.lower().startswith(("abort", "fault", "error"))}
    if state == "paused":
        return {"text": f"The session is paused{because}. The same command goes on with it.", "warning": True}
    if view.acquisition is None:
        return {"text": "", "warning": False}
    return {"text": "The session has not ended: it is running, or was interrupted. The same command goes on with it.", "warning": True}


def _places(view: RunView) -> list[Row]:
    rows: list[Row] = []
    planned = len(view.acquisition.attrs.get("raster_y_um") or []) if view.acquisition is not None else 0
    if view.survey_table is not None:
        n = int(view.survey_table.sizes["survey"])
        visited = len(set(view.survey_table["position"].values.tolist())) if "position" in view.survey_table else n
        of = f" of {planned:,} planned" if planned else ""
        rows.append(("stage positions surveyed", f"{visited:,}{of}"))
        if (boxes := rectangles(view.survey_table)) is not None and len(boxes):
            area = float(np.nansum(boxes[:, 2] * boxes[:, 3]))
            rows.append(("area of the surveys, overlaps counted twice [µm²]", text(area)))
    groups = by_state(view.tiles)
    if groups:
        total = sum(members.size for members in groups.values())
        rows.append(
            (f"{tile_word(view)}s looked at", f"{total:,}: " + ", ".join(f"{members.size:,} {state}" for state, members in groups.items()))
        )
    return rows


def _time(view: RunView) -> list[Row]:
    events = view.acquisition
    if events is None or not {"kind", "clock_s"} <= set(events):
        return []
    clock = np.asarray(events["clock_s"].values, float)
    clock = clock[np.isfinite(clock)]
    n = int(_of_kind(events, "image").sum())
    rows: list[Row] = [("images", f"{n:,}")]
    if not clock.size:
        return rows
    lasted = np.asarray(events["duration_s"].values, float) if "duration_s" in events else np.zeros(1)
    # The first event tells its end; it began earlier.
    whole = float(clock.max() - clock.min()) + float(np.nan_to_num(lasted[0]))
    rows.append(("time of the instrument", duration(whole)))
    if n:
        rows.append(("time an image, all in", f"{whole / n:.1f} s"))
        spent, after = time_spent(events)
        parts = [(what, float(values.sum()) + after[what]) for what, values in spent.items()]
        rows.append(("of that", ", ".join(f"{what}\u00a0{seconds / n:.1f}\u00a0s" for what, seconds in parts if seconds > 0)))
    return rows


def _dose(view: RunView) -> list[Row]:
    events = view.acquisition
    if events is None or not {"kind", "electrons_per_nm2"} <= set(events):
        return []
    rows: list[Row] = []
    for kind, name in (("image", "an image"), ("survey", "a survey"), ("focus", "a focus, where it scanned")):
        dose = np.asarray(events["electrons_per_nm2"].values, float)[_of_kind(events, kind)]
        dose = dose[np.isfinite(dose)]
        if dose.size:
            low, middle, high = (float(v) for v in np.percentile(dose, [0, 50, 100]))
            spread = "" if high <= 1.01 * low else f" ({text(low)} to {text(high)})"
            rows.append((f"dose of {name} [electrons/nm²]", f"{text(middle)}{spread}"))
    return rows


def _focus(view: RunView) -> list[Row]:
    events = view.acquisition
    if events is None or not {"kind", "verdict"} <= set(events):
        return []
    focus = _of_kind(events, "focus")
    if not focus.any():
        return []
    modes = texts(events, "mode")[focus] if "mode" in events else np.full(int(focus.sum()), "")
    verdicts = texts(events, "verdict")[focus]
    rows: list[Row] = []
    for mode in sorted(set(modes)):
        said, counts = np.unique(verdicts[modes == mode], return_counts=True)
        counted = ", ".join(f"{n:,} {verdict.replace('_', ' ')}" for n, verdict in sorted(zip(counts, said, strict=True), reverse=True))
        rows.append((f"{mode} focus".strip(), f"{int((modes == mode).sum()):,}: {counted}"))
    return rows


def _drift(view: RunView) -> list[Row]:
    events = view.acquisition
    if events is None or not {"kind", "drift_rate_nm_per_min"} <= set(events):
        return []
    drift = _of_kind(events, "drift")
    rate = np.abs(np.asarray(events["drift_rate_nm_per_min"].values, float)[drift])
    rate = rate[np.isfinite(rate)]
    if not rate.size:
        return []
    return [("drift rate, median and largest [nm/min]", f"{np.median(rate):.2g}, {rate.max():.2g}")]


def _faults(view: RunView) -> list[Row]:
    events = view.acquisition
    if events is None or "kind" not in events:
        return []
    faults = _of_kind(events, "fault")
    n = int(faults.sum())
    if not n or not {"error", "action"} <= set(events):
        return [("faults", f"{n:,}" if n else "none")]
    done = zip(events["error"].values[faults], events["action"].values[faults], strict=True)
    said, counts = np.unique(np.array([f"{error} → {action}".replace("_", " ") for error, action in done], dtype=str), return_counts=True)
    return [("faults and what was done", f"{n:,}: " + ", ".join(f"{what} ({count:,})" for what, count in zip(said, counts, strict=True)))]


def _troubles(view: RunView) -> dict[str, Any] | None:
    """Skips, faults and pauses in their order."""
    events = view.acquisition
    if events is None or "kind" not in events:
        return None
    rows = np.flatnonzero(_of_kind(events, "skip") | _of_kind(events, "fault") | _of_kind(events, "pause"))
    if not rows.size:
        return None
    clock = np.asarray(events["clock_s"].values, float) if "clock_s" in events else np.full(events["kind"].size, np.nan)

    def said(name: str, row: int) -> str:
        return str(events[name].values[row]) if name in events else ""

    def number(name: str, row: int) -> str:
        value = int(events[name].values[row]) if name in events else -1
        return str(value) if value >= 0 else ""

    made: list[list[str]] = []
    for row in rows.tolist():
        kind = said("kind", row)
        step, attempt = said("step", row), number("attempt", row)
        where = f" ({step}, attempt {attempt})" if step and attempt else f" ({step})" if step else ""
        what = said("what", row) if kind == "skip" else said("error", row).replace("_", " ") + where
        why = said("reason", row) or said("message", row)
        made.append([duration(float(clock[row])), kind, what, number("position", row), number("tile", row), why, said("action", row)])
    merged = _merged(made)
    caption = f"{rows.size:,} skips, faults and pauses"
    if len(merged) > MOST_ROWS:
        caption += f"; the first {MOST_ROWS} rows are listed, the table acquisition has all"
    head = ["time", "event", "what", "position", tile_word(view), "why", "action"]
    return {"head": head, "rows": merged[:MOST_ROWS], "caption": caption}


def _merged(rows: list[list[str]]) -> list[list[str]]:
    """Rows that differ in the tile only as one, as when the images are used up: first to last tile, and how many."""
    merged: list[list[str]] = []
    tiles: list[list[str]] = []
    for row in rows:
        if merged and row[4] and tiles[-1][0] and row[:4] + row[5:] == merged[-1][:4] + merged[-1][5:]:
            tiles[-1].append(row[4])
        else:
            merged.append(list(row))
            tiles.append([row[4]])
    for row, of in zip(merged, tiles, strict=True):
        row[4] = of[0] if len(of) == 1 else f"{of[0]} … {of[-1]} ({len(of)})"
    return merged


def _of_kind(events: Any, kind: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = texts(events, "kind") == kind
    return found
