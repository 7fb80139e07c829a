"""All figures of a run as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import EmptyInputError, UnknownNameError
from nanospa.report.canvas import save
from nanospa.report.cluster_gallery import MOST_CLUSTERS, cluster_gallery
from nanospa.report.figures_of_reconstruction import figures_of_reconstruction
from nanospa.report.focus_curves import MOST_PANELS, focus_curves
from nanospa.report.focus_drift import focus_drift
from nanospa.report.frame_flags import frame_flags
from nanospa.report.frame_outlines import frame_outlines
from nanospa.report.image_times import image_times
from nanospa.report.isosurface import isosurface
from nanospa.report.model_gallery import model_colour, model_gallery
from nanospa.report.particle_card import particle_card
from nanospa.report.quantity import text, texts, title, words
from nanospa.report.run_view import RunView
from nanospa.report.scan_plot import scan_plot
from nanospa.report.scatter import MOST_POINTS, scatter
from nanospa.report.sections.cards import first_members, particle_outlines, property_columns, window
from nanospa.report.sections.distributions import distributions
from nanospa.report.sections.frames import chosen_frames, frame_contours
from nanospa.report.sections.stage_svg import MOST_PICTURES
from nanospa.report.stage_map import stage_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Formats of files.
FORMATS = ("png", "svg", "pdf")
#: Pairs and triples of quantities to plot against each other: the paper's three features and two usual views.
_PAIRS = (("area", "intensity_max"), ("equivalent_diameter", "solidity"), ("circularity", "aspect_ratio"))
_TRIPLE = ("area", "intensity_max", "solidity")
#: Focus curves drawn, in figures of `MOST_PANELS`.
_MOST_CURVES = 24


def figures(store: Any, folder: Any, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write every figure of a run: acquisition, frames, distributions, scatter plots, clusters, models, cards, scan, frame flags.

    Parameters
    ----------
    store : str, pathlib.Path or xarray.DataTree
        Store of a run; figures of what it does not hold are left out.
    folder : str or pathlib.Path
        Folder to write into; made where it is missing.
    formats : sequence of str
        ``png``, ``svg`` or ``pdf``.

    Returns
    -------
    list of pathlib.Path
        Files, in order.

    Raises
    ------
    UnknownNameError
        A format that is not known.
    EmptyInputError
        No format.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> run = xr.DataTree.from_dict({"particles": xr.Dataset({"area_px": ("particle", np.arange(9.0))})})
    >>> [path.name for path in ns.report.figures(run, tempfile.mkdtemp(), formats=["svg"])]
    ['distribution_area_px.svg']
    """
    if not formats:
        raise EmptyInputError(f"formats: expected one or more of {', '.join(FORMATS)}, found none")
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError(f"formats: expected {', '.join(FORMATS)}, found {name!r}")
    view, target = RunView.of(store), Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    return [save(figure, target / f"{name}.{ending}") for name, figure in _all(view) for ending in formats]


def scatter_figures(view: RunView) -> Iterator[tuple[str, str, Figure]]:
    """Scatter plots of the pairs and the triple that the table has.

    Parameters
    ----------
    view : RunView
        Store.

    Yields
    ------
    name : str
        Name of the figure.
    caption : str
        What it shows.
    figure : matplotlib.figure.Figure
        Figure.
    """
    if view.n_particles == 0:
        return
    sampled = f"; {MOST_POINTS:,} of {view.n_particles:,} particles, drawn at random" if view.n_particles > MOST_POINTS else ""
    for quantities in (*_PAIRS, _TRIPLE):
        columns = [view.column(quantity) for quantity in quantities]
        if None not in columns:
            name = "scatter_" + "_".join(quantities)
            yield name, " against ".join(words(q) for q in quantities) + sampled, scatter(view.particles, quantities)


def scan_figures(view: RunView) -> Iterator[tuple[str, str, Figure]]:
    """A plot of each scan of clustering parameters.

    Parameters
    ----------
    view : RunView
        Store.

    Yields
    ------
    name : str
        Name of the figure.
    caption : str
        What it shows.
    figure : matplotlib.figure.Figure
        Figure.
    """
    for method, scan in view.scans.items():
        said = f"{method}: " if method else ""
        caption = f"{said}{scan['fraction'].size:,} parameter sets; star = best set, hollow = a cluster of the set is mixed"
        yield f"cluster_scan_{method}".rstrip("_"), caption, scan_plot(scan)


def gallery_figure(view: RunView) -> tuple[str, Figure] | None:
    """First five images of each cluster, from the store's particle images.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    tuple or None
        Caption and figure; None without clusters or particle images.
    """
    members = first_members(view)
    rows = [row for of_cluster in members.values() for row in of_cluster]
    images = view.particle_images(rows)
    groups = view.clusters
    if images is None or groups is None or not rows:
        return None
    counts = {cluster: int((groups == cluster).sum()) for cluster in members}
    pair = view.pixel_size_nm(int(view.particles["frame"].values[rows[0]])) if "frame" in view.particles else None
    figure = cluster_gallery(images, groups[rows], particles=rows, members=counts, pixel_size_nm=None if pair is None else pair[1])
    n_clusters = int(np.unique(groups[groups >= 0]).size)
    cut = f"; {MOST_CLUSTERS} of {n_clusters} clusters" if n_clusters > MOST_CLUSTERS else ""
    return f"First five images of each cluster, same scale and grey range, background removed{cut}", figure


def acquisition_figures(view: RunView) -> Iterator[tuple[str, str, Figure]]:
    """Time and dose of the images, focus and drift, focus curves.

    Parameters
    ----------
    view : RunView
        Store.

    Yields
    ------
    name : str
        Name of the figure.
    caption : str
        What it shows.
    figure : matplotlib.figure.Figure
        Figure.
    """
    events = view.acquisition
    if events is not None and events.sizes["event"]:
        if (texts(events, "kind") == "image").any():
            said = (
                "What happened since the image before counts to the image that follows; overhead is all that is neither scanning nor named"
            )
            yield "image_times", said, image_times(events)
        drawn = focus_drift(events)
        if drawn.axes:
            yield "focus_drift", "Focus and drift in the course of the session", drawn
    yield from _focus_curves(view.focus_curves)


def _focus_curves(samples: Any) -> Iterator[tuple[str, str, Figure]]:
    if samples is None or not {"focus", "defocus_nm", "sharpness"} <= set(samples) or samples.sizes["sample"] == 0:
        return
    numbers, first = np.unique(np.asarray(samples["focus"].values, int), return_index=True)
    chosen = numbers
    if numbers.size > _MOST_CURVES:
        # Those that were not fitted are what a reader looks for; they take at most half of the places.
        fitted = texts(samples, "verdict")[first] == "fitted" if "verdict" in samples else np.ones(numbers.size, bool)
        odd = _spread(numbers[~fitted], _MOST_CURVES // 2)
        chosen = np.sort(np.concatenate([odd, _spread(numbers[fitted], _MOST_CURVES - odd.size)]))
    for start in range(0, chosen.size, MOST_PANELS):
        shown = chosen[start : start + MOST_PANELS]
        caption = f"Focus curves {shown[0]} to {shown[-1]}: samples, fit, dashed the defocus set, dotted the one before"
        if numbers.size > chosen.size:
            caption += f"; {chosen.size} of {numbers.size:,} curves are shown, those not fitted first"
        yield f"focus_curves_{shown[0]:04d}", caption, focus_curves(samples, shown.tolist())


def _spread(values: Any, n: int) -> Any:
    """At most so many of the values, evenly."""
    return values if values.size <= n else values[np.linspace(0, values.size - 1, n).round().astype(int)]


def _stage_map(view: RunView) -> Iterator[tuple[str, Figure]]:
    if view.tiles is None and view.survey_table is None:
        return
    n = 0 if view.survey_table is None else int(view.survey_table.sizes["survey"])
    pictures = [view.survey_image(i) for i in range(min(n, MOST_PICTURES))]
    yield "stage_map", stage_map(view.tiles, view.survey_table, view.acquisition, pictures)


def _all(view: RunView) -> Iterator[tuple[str, Figure]]:
    yield from _stage_map(view)
    for name, _, figure in acquisition_figures(view):
        yield name, figure
    for frame in chosen_frames(view):
        image = view.image(frame)
        if image is not None and image.size:
            contours, clusters, _ = frame_contours(view, frame)
            heading = f"frame {frame} · {view.frame_source(frame)}"
            made = frame_outlines(image, contours, clusters=clusters, pixel_size_nm=view.pixel_size_nm(frame), title=heading)
            yield f"frame_{frame:05d}", made
    for name, _, figure in (*distributions(view), *scatter_figures(view)):
        yield name, figure
    gallery = gallery_figure(view)
    if gallery is not None:
        yield "cluster_gallery", gallery[1]
    yield from _reconstructions(view)
    yield from _cards(view)
    for name, _, figure in scan_figures(view):
        yield name, figure
    if view.frame_table is not None:
        yield "frame_flags", frame_flags(view.frame_table)


def _reconstructions(view: RunView) -> Iterator[tuple[str, Figure]]:
    found = view.reconstructions()
    if found:
        yield "models", model_gallery(found)
    for name, made in found.items():
        said = made.attrs
        yield (
            f"{name}_views",
            isosurface(
                made["volume"].values,
                level=said.get("level"),
                pixel_size_nm=said.get("pixel_size_nm"),
                symmetry=str(said.get("symmetry", "C1")),
                colour=model_colour(name, said),
            ),
        )
        for kind, _, figure in figures_of_reconstruction(made):
            yield f"{name}_{kind}", figure


def _cards(view: RunView) -> Iterator[tuple[str, Figure]]:
    """A card of the first particle of each cluster, of the first particle where nothing is clustered."""
    rows = [of_cluster[0] for of_cluster in first_members(view).values()] or ([0] if view.n_particles else [])
    for row in rows:
        found = window(view, row)
        image = None if found is None else view.image(found[0], found[1])
        if found is None or image is None or image.size == 0:
            continue
        frame, part, _ = found
        properties = {title(view.particles, name): text(view.particles[name].values[row]) for name in property_columns(view)}
        cluster = None if view.clusters is None else int(view.clusters[row])
        contours = particle_outlines(view, row, frame, part)
        heading = f"particle {row} · frame {frame}"
        yield (
            f"particle_{row:06d}",
            particle_card(image, contours, properties, cluster=cluster, pixel_size_nm=view.pixel_size_nm(frame), title=heading),
        )
