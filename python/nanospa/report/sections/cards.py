"""Cards of single particles: image, outline, every property."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanospa.report.canvas import encoded
from nanospa.report.cluster_gallery import IMAGES_PER_CLUSTER, MOST_CLUSTERS
from nanospa.report.contrast import picture
from nanospa.report.palette import PLAIN_COLOUR, cluster_colour, cluster_name
from nanospa.report.quantity import text, title
from nanospa.report.run_view import RunView
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.sections.outline_path import outline_path

#: Cards in the report: about 8 kB each.
MOST_CARDS = 240
#: Longest side of a card's picture.
LONGEST_PX = 96
#: Rim around the particle's box, as a share of the box, so that the surroundings can be judged.
_RIM = 0.25


def chosen_particles(view: RunView, most: int = MOST_CARDS) -> list[int]:
    """Particles to make cards of: the first five of each cluster, the others spread evenly over the table.

    Parameters
    ----------
    view : RunView
        Store.
    most : int
        Cards at most.

    Returns
    -------
    list of int
        Rising rows of the particle table.
    """
    chosen = {row for rows in first_members(view).values() for row in rows} if view.n_particles else set()
    chosen = set(sorted(chosen)[:most])
    others = np.setdiff1d(np.arange(view.n_particles), np.fromiter(chosen, int, len(chosen)))
    n = min(most - len(chosen), others.size)
    if n > 0:
        chosen.update(int(row) for row in others[np.linspace(0, others.size - 1, n).round().astype(int)])
    return sorted(chosen)


def first_members(view: RunView) -> dict[int, list[int]]:
    """The first five particles of each cluster.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict of int to list of int
        Rows of the particle table by cluster; at most 24 clusters.
    """
    clusters = view.clusters
    if clusters is None:
        return {}
    present = [int(c) for c in np.unique(clusters) if c >= 0][:MOST_CLUSTERS]
    return {cluster: [int(r) for r in np.flatnonzero(clusters == cluster)[:IMAGES_PER_CLUSTER]] for cluster in present}


def cards(view: RunView) -> dict[str, Any]:
    """Everything the page needs to show a particle by its number.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict
        ``names`` (name, meaning of each property), ``particles`` (dicts), ``total``.
    """
    if view.particles is None:
        return {"names": [], "particles": [], "total": 0}
    columns = property_columns(view)
    chosen = chosen_particles(view)
    texts = [[text(v) for v in view.particles[name].values[chosen]] for name in columns]
    made = []
    for place, row in enumerate(chosen):
        card = {"id": row, "values": [column[place] for column in texts], **_place(view, row)}
        made.append(card | (_image(view, row) or {}))
    names = [[title(view.particles, name), str(view.particles[name].attrs.get("long_name", ""))] for name in columns]
    return {"names": names, "particles": made, "total": view.n_particles}


def property_columns(view: RunView) -> list[str]:
    """Columns with one value a particle.

    Parameters
    ----------
    view : RunView
        Store with a particle table.

    Returns
    -------
    list of str
    """
    return [str(name) for name, variable in view.particles.data_vars.items() if variable.dims == ("particle",)]


def window(view: RunView, row: int) -> tuple[int, tuple[slice, slice], tuple[int, int]] | None:
    """Frame and part of it around a particle.

    Parameters
    ----------
    view : RunView
        Store with a particle table.
    row : int
        Row of the particle table.

    Returns
    -------
    tuple or None
        Frame, rows and columns, first row and column [px]; None where the table has no boxes.
    """
    table = view.particles
    if not {"frame", "label", "bbox_y0_px", "bbox_x0_px", "bbox_y1_px", "bbox_x1_px"} <= set(table):
        return None
    y0, x0, y1, x1 = (int(table[f"bbox_{edge}_px"].values[row]) for edge in ("y0", "x0", "y1", "x1"))
    rim = 3 + round(_RIM * max(y1 - y0, x1 - x0))
    top, left = max(0, y0 - rim), max(0, x0 - rim)
    return int(table["frame"].values[row]), (slice(top, y1 + rim), slice(left, x1 + rim)), (top, left)


def particle_outlines(view: RunView, row: int, frame: int, part: tuple[slice, slice]) -> list[Any]:
    """Outlines of one particle in a part of its frame.

    Parameters
    ----------
    view : RunView
        Store with a particle table.
    row : int
        Row of the particle table.
    frame : int
        Row of the frame table.
    part : tuple of slice
        Rows and columns.

    Returns
    -------
    list of numpy.ndarray
        Outlines (y, x) relative to the part [px], shape (point, 2) each.
    """
    from nanospa.measure import outlines

    labels = view.labels(frame, part)
    return [] if labels is None else list(outlines((labels == int(view.particles["label"].values[row])).astype(np.int32)))


def _place(view: RunView, row: int) -> dict[str, Any]:
    table, clusters = view.particles, view.clusters
    frame = int(table["frame"].values[row]) if "frame" in table else None
    where = f"particle {row}" if frame is None else f"particle {row} · frame {frame} · {view.frame_source(frame)}"
    cluster = None if clusters is None else int(clusters[row])
    return {
        "title": where,
        "colour": PLAIN_COLOUR if cluster is None else cluster_colour(cluster),
        "cluster": "" if cluster is None else ("outlier" if cluster < 0 else cluster_name(cluster)),
    }


def _image(view: RunView, row: int) -> dict[str, Any] | None:
    found = window(view, row)
    if found is None:
        return None
    frame, part, _ = found
    image = view.image(frame, part)
    if image is None or image.size == 0:
        return None
    height, width = image.shape
    pair = view.pixel_size_nm(frame)
    tolerance = 0.3 * max(1.0, max(height, width) / LONGEST_PX)
    card: dict[str, Any] = {
        "picture": encoded(picture(image, longest_px=LONGEST_PX), "image/png"),
        "height": height,
        "width": width,
        "paths": [outline_path(outline, tolerance_px=tolerance) for outline in particle_outlines(view, row, frame, part)],
        "ratio": width / height if pair is None else width * pair[1] / (height * pair[0]),
    }
    if pair is not None:
        length_nm = bar_length_nm(width * pair[1])
        card |= {"bar": 100 * length_nm / (width * pair[1]), "bar_text": bar_text(length_nm)}
    return card
