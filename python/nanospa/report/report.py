"""One HTML file with everything a reader of a run needs."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.report.canvas import data_uri
from nanospa.report.figures import acquisition_figures, gallery_figure, scan_figures, scatter_figures
from nanospa.report.frame_flags import frame_flags
from nanospa.report.run_view import RunView
from nanospa.report.sections.distributions import whole_particles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def report(store: Any, path: Any) -> Path:
    """Write the report of a run as one HTML file that needs no network and no other file.

    Large runs are sampled (frames, outlines, points, cards); the captions say how many of how many are shown.

    Parameters
    ----------
    store : str, pathlib.Path or xarray.DataTree
        Store of a run; sections of what it does not hold are left out.
    path : str or pathlib.Path
        HTML file to write; its folder is made where it is missing.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    StoreError
        There is no store.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> run = xr.DataTree.from_dict({"particles": xr.Dataset({"area_px": ("particle", np.arange(9.0))})})
    >>> ns.report.report(run, tempfile.mkdtemp() + "/report.html").name
    'report.html'
    """
    view, target = RunView.of(store), Path(path)
    page = _render(view)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A reader that has the old report open never sees half a file.
    partial = target.with_name(target.name + ".partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(target)
    return target


def _render(view: RunView) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from nanospa.report import sections

    environment = Environment(
        loader=PackageLoader("nanospa.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates = files("nanospa.report").joinpath("templates")
    gallery = gallery_figure(view)
    return environment.get_template("report.html").render(
        style=templates.joinpath("report.css").read_text(encoding="utf-8"),
        script=templates.joinpath("report.js").read_text(encoding="utf-8"),
        source=view.source,
        summary=sections.summary(view),
        notices=sections.notices(view),
        acquisition=sections.acquisition(view),
        acquired=[_embedded(*made) for made in acquisition_figures(view)],
        frames=sections.frames(view),
        n_frames=view.n_frames,
        n_particles=view.n_particles,
        n_whole=int(whole_particles(view).sum()) if view.n_particles else 0,
        distributions=[_embedded(name, caption, figure) for name, caption, figure in sections.distributions(view)],
        clusters=sections.clusters(view),
        scatter=[_embedded(*made) for made in scatter_figures(view)],
        gallery=None if gallery is None else _embedded("cluster_gallery", *gallery),
        reconstructions=sections.reconstructions(view),
        cards=sections.cards(view),
        scans=[_embedded(*made) for made in scan_figures(view)],
        frame_rows=sections.frame_rows(view),
        flags=None if view.frame_table is None else _embedded("frame_flags", "", frame_flags(view.frame_table)),
        provenance=sections.provenance(view),
    )


def _embedded(name: str, caption: str, figure: Figure) -> dict[str, str]:
    axes = figure.axes[0] if figure.axes else None
    said = caption or (axes.get_xlabel() if axes is not None else "") or name.replace("_", " ")
    return {"name": name, "caption": caption, "alternative": said, "uri": data_uri(figure)}
