"""The stage map as values of an SVG drawing: a tile says what became of it when the pointer rests on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanospa.report.canvas import encoded
from nanospa.report.contrast import picture
from nanospa.report.palette import TILE_COLOURS
from nanospa.report.quantity import texts
from nanospa.report.run_view import RunView
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.stage_map import by_state, fill_of, rectangles, skipped_positions, stage_path

#: Tiles that are drawn; of more the empty ones are left out first, then those spread evenly between the drawn ones.
MOST_TILES = 6000
#: Surveys with a picture; the longest side of a picture of few surveys, and of all pictures laid out as a square.
MOST_PICTURES, PICTURE_PX, PICTURES_PX = 64, 512, 1200
#: Reasons that say no more than the fate does.
_PLAIN_REASONS = ("", "empty", "particle", "particles")
#: Positions with a number.
_MOST_NUMBERS = 80
#: Room around the map, in shares of its longer side.
_MARGIN = 0.03


def stage_svg(view: RunView) -> dict[str, Any] | None:
    """Survey pictures, outlines, tiles, path and skipped positions in nm from the upper left corner of the map.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict or None
        ``width`` and ``height`` [nm], ``ratio``, ``radius`` and ``letters`` (sizes of marks [nm]), ``pictures``, ``surveys``, ``tiles``,
        ``path``, ``stops``, ``missed``, ``bar``, ``legend``, ``notes``; None where nothing has a place.
    """
    surveys, tiles = rectangles(view.survey_table), rectangles(view.tiles)
    (path, numbers), missed = stage_path(view.acquisition, view.survey_table), skipped_positions(view.acquisition)
    corners = [np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]]) for b in (surveys, tiles) if b is not None]
    points = np.concatenate([*corners, path, missed, np.empty((0, 2))])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2 or not np.ptp(points, axis=0).any():
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * float((high - low).max())
    origin, extent = low - margin, high - low + 2 * margin
    notes: list[str] = []
    height, width = (1000 * float(v) for v in extent)
    return {
        "width": f"{width:.0f}",
        "height": f"{height:.0f}",
        "ratio": width / height,
        "radius": f"{0.006 * max(width, height):.1f}",
        "letters": f"{0.028 * max(width, height):.1f}",
        "pictures": [] if surveys is None else _pictures(view, surveys, origin, notes),
        "surveys": [] if surveys is None else [_box(b, origin) for b in surveys if np.isfinite(b).all()],
        "tiles": [] if tiles is None else _tiles(view, tiles, origin, notes),
        "path": " ".join(f"{x:.0f},{y:.0f}" for y, x in 1000 * (path - origin)),
        "stops": [
            {"x": f"{x:.0f}", "y": f"{y:.0f}", "number": int(number) if i == 0 or len(path) <= _MOST_NUMBERS else ""}
            for i, (number, (y, x)) in enumerate(zip(numbers, 1000 * (path - origin), strict=True))
        ],
        "missed": [{"x": f"{x:.0f}", "y": f"{y:.0f}"} for y, x in 1000 * (missed - origin)],
        "bar": {"percent": 100 * (length := bar_length_nm(width)) / width, "text": bar_text(length)},
        "legend": _legend(view, len(missed)),
        "notes": notes,
    }


def _pictures(view: RunView, surveys: Any, origin: Any, notes: list[str]) -> list[dict[str, str]]:
    chosen = [i for i in range(len(surveys)) if np.isfinite(surveys[i]).all()]
    if len(chosen) > MOST_PICTURES:
        notes.append(f"Pictures of {MOST_PICTURES} of {len(chosen):,} surveys are shown, spread evenly.")
        chosen = [chosen[int(i)] for i in np.linspace(0, len(chosen) - 1, MOST_PICTURES).round()]
    made = []
    longest_px = min(PICTURE_PX, round(PICTURES_PX / max(1.0, len(chosen) ** 0.5)))
    for i in chosen:
        image = view.survey_image(i)
        if image is not None and image.size:
            uri = encoded(picture(image, longest_px=longest_px, format="JPEG"), "image/jpeg")
            made.append({**_box(surveys[i], origin), "uri": uri})
    return made


def _tiles(view: RunView, boxes: Any, origin: Any, notes: list[str]) -> list[dict[str, Any]]:
    groups = by_state(view.tiles)
    total = sum(rows.size for rows in groups.values())
    if total > MOST_TILES and "empty" in groups:
        notes.append(f"{groups.pop('empty').size:,} empty {tile_word(view)}s are not drawn.")
    left = sum(rows.size for rows in groups.values())
    step = -(-left // MOST_TILES) if left else 1
    if step > 1:
        notes.append(f"One of {step} {tile_word(view)}s is drawn.")
    # Empty ones first: what matters lies on top.
    order = [(state, row) for state in sorted(groups, key=lambda s: s != "empty") for row in groups[state][::step]]
    return [
        {
            **_box(boxes[row], origin),
            "state": state.replace(" ", "-"),
            "colour": TILE_COLOURS[state],
            "opacity": fill_of(state),
            "said": _said(view.tiles, int(row), state),
        }
        for state, row in order
        if np.isfinite(boxes[row]).all()
    ]


def _said(tiles: Any, row: int, state: str) -> str:
    """What is known of a tile, in words."""

    def number(name: str) -> int:
        return int(tiles[name].values[row]) if name in tiles else -1

    reason = str(tiles["reason"].values[row]) if "reason" in tiles else ""
    fate = f"image {number('image')}" if state == "imaged" and number("image") >= 0 else state
    parts = [f"{fate}: {reason}" if reason not in _PLAIN_REASONS else fate]
    if (found := number("n_found")) >= 0:
        parts.append(f"{found} particle{'' if found == 1 else 's'} found in the survey")
    parts += [f"{what} {number(what)}" for what in ("survey", "tile") if number(what) >= 0]
    return " · ".join(parts)


def tile_word(view: RunView) -> str:
    """What the parts of a survey are that images are taken of.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    str
        ``tile`` or ``particle``.
    """
    plan = {} if view.acquisition is None else view.acquisition.attrs.get("plan") or {}
    return "particle" if plan.get("target") == "particles" else "tile"


def _legend(view: RunView, n_missed: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for state, members in by_state(view.tiles).items():
        reasons = texts(view.tiles, "reason")[members] if "reason" in view.tiles and state == "skipped" else np.array([""])
        said, counts = np.unique(reasons, return_counts=True)
        why = "; ".join(f"{reason or 'no reason given'} ({n:,})" for reason, n in zip(said, counts, strict=True)) if any(said) else ""
        rows.append(
            {
                "colour": TILE_COLOURS[state],
                "text": f"{state}: {members.size:,} {tile_word(view)}{'' if members.size == 1 else 's'}" + (f", {why}" if why else ""),
            }
        )
    if n_missed:
        rows.append({"colour": TILE_COLOURS["skipped"], "text": f"×: {n_missed:,} stage position{'' if n_missed == 1 else 's'} skipped"})
    return rows


def _box(box: Any, origin: Any) -> dict[str, str]:
    y, x, height, width = 1000 * (np.asarray(box) - [*origin, 0, 0])
    return {"x": f"{x:.0f}", "y": f"{y:.0f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
