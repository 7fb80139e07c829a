"""Frames with the outlines of their particles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import encoded
from nanospa.report.contrast import picture
from nanospa.report.palette import PLAIN_COLOUR, cluster_colour
from nanospa.report.run_view import RunView
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.sections.outline_path import outline_path

#: Frames in the report, spread evenly over the run.
MOST_FRAMES = 6
#: Longest side of a frame's picture.
LONGEST_PX = 900
#: Outlines drawn in a frame.
MOST_OUTLINES = 1500


def chosen_frames(view: RunView) -> list[int]:
    """Frames to show, spread evenly from the first to the last.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    list of int
        Rows of the frame table.
    """
    n = min(MOST_FRAMES, view.n_frames)
    return [int(i) for i in np.unique(np.linspace(0, view.n_frames - 1, n).round())] if n else []


def frames(view: RunView) -> list[dict[str, Any]]:
    """Pictures of the chosen frames, their outlines and captions.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    list of dict
        ``picture`` (data URI), ``height`` and ``width`` [px], ``outlines`` (dicts of path, colour, particle), ``bar`` (or None),
        ``caption``.
    """
    made = []
    for frame in chosen_frames(view):
        image = view.image(frame)
        if image is None or image.size == 0:
            continue
        height, width = image.shape
        drawn, n_outlines = _outlines(view, frame, max(height, width) / LONGEST_PX)
        pair = view.pixel_size_nm(frame)
        caption = f"Frame {frame} ({view.frame_source(frame)}): {n_outlines:,} particles"
        if len(drawn) < n_outlines:
            caption += f", outlines of {len(drawn):,} drawn"
        made.append(
            {
                "picture": encoded(picture(image, longest_px=LONGEST_PX, format="JPEG"), "image/jpeg"),
                "height": height,
                "width": width,
                "outlines": drawn,
                "bar": None if pair is None else _bar(width, pair[1]),
                # Anisotropic pixels: the picture is stretched so that lengths look alike along both axes.
                "ratio": width / height if pair is None else width * pair[1] / (height * pair[0]),
                "caption": caption,
            }
        )
    return made


def frame_contours(view: RunView, frame: int) -> tuple[list[Any], NDArray[np.int64] | None, NDArray[np.int64]]:
    """Outlines of a frame with the cluster and the row in the particle table of each.

    Parameters
    ----------
    view : RunView
        Store.
    frame : int
        Row of the frame table.

    Returns
    -------
    outlines : list of numpy.ndarray
        Outlines (y, x) [px], shape (point, 2) each.
    clusters : numpy.ndarray of int64 or None
        Cluster of each, shape (particle,).
    rows : numpy.ndarray of int64
        Row in the particle table of each, shape (particle,), -1 for none.
    """
    from nanospa.measure import outlines

    labels = view.labels(frame)
    if labels is None:
        return [], view.clusters if view.clusters is None else np.empty(0, np.int64), np.empty(0, np.int64)
    contours = list(outlines(labels))
    # Outlines come in the order of the labels that are present.
    present = np.flatnonzero(np.bincount(labels.ravel()))
    present = present[present > 0]
    members = view.particles_of(frame)
    rows = np.full(len(contours), -1, np.int64)
    if view.particles is not None and "label" in view.particles and members.size:
        wanted = np.asarray(view.particles["label"].values[members], np.int64)
        places = np.searchsorted(present, wanted)
        known = (places < present.size) & (present[np.minimum(places, present.size - 1)] == wanted)
        rows[places[known]] = members[known]
    clusters = view.clusters
    if clusters is None or clusters.size == 0:
        return contours, None, rows
    return contours, np.where(rows >= 0, clusters[rows], -1), rows


def _outlines(view: RunView, frame: int, frame_px_per_picture_px: float) -> tuple[list[dict[str, Any]], int]:
    contours, clusters, rows = frame_contours(view, frame)
    step = -(-len(contours) // MOST_OUTLINES) if contours else 1
    drawn = [
        {
            "path": outline_path(contours[i], tolerance_px=0.4 * max(1.0, frame_px_per_picture_px)),
            "colour": PLAIN_COLOUR if clusters is None else cluster_colour(int(clusters[i])),
            "particle": int(rows[i]),
        }
        for i in range(0, len(contours), step)
        if len(contours[i])
    ]
    return drawn, len(contours)


def _bar(width: int, pixel_size_x_nm: float) -> dict[str, Any]:
    length_nm = bar_length_nm(width * pixel_size_x_nm)
    return {"percent": 100 * length_nm / (width * pixel_size_x_nm), "text": bar_text(length_nm)}
