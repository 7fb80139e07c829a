"""The result in a few lines, the truth beside it where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.model_gallery import model_name
from nanospa.report.quantity import text, unit, words
from nanospa.report.run_view import RunView
from nanospa.report.sections.distributions import whole_particles

#: Overlap (intersection over union) from which a true particle counts as found: above half there is one partner only.
FOUND_IOU = 0.5
#: Models that are named.
_MOST_MODELS = 8

Row = tuple[str, str, str]


def summary(view: RunView) -> dict[str, Any]:
    """Rows of name, result and truth.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict
        ``rows`` (name, result, truth), ``has_truth``.
    """
    truth = view.truth
    n_true = None if truth is None else int(truth.sizes["particle"])
    rows: list[Row] = [("frames", text(view.n_frames), "")]
    rows.append(("particles", text(view.n_particles), "" if n_true is None else text(n_true)))
    if view.n_frames:
        rows.append(("particles a frame", text(view.n_particles / view.n_frames), "" if n_true is None else text(n_true / view.n_frames)))
    rows += [*_size(view), *_clusters(view), *_models(view), *_found(view), *_imaged(view)]
    return {"rows": rows, "has_truth": truth is not None}


def _size(view: RunView) -> list[Row]:
    """Percentiles of the diameter of the particles that are seen whole."""
    column = view.column("equivalent_diameter")
    if column is None or view.n_particles == 0:
        return []
    values = np.asarray(view.particles[column].values, float)[whole_particles(view)]
    name = f"{words(column)} D10 · D50 · D90 [{unit(view.particles, column)}]"
    return [(name, _percentiles(values), _percentiles(_true_diameters(view, calibrated=column.endswith("_nm"))))]


def _true_diameters(view: RunView, *, calibrated: bool) -> NDArray[np.float64]:
    """Diameters of the circles of the true areas, of the true particles that lie whole in their frame."""
    truth = view.truth
    if truth is None or "area_px" not in truth:
        return np.empty(0)
    diameters: NDArray[np.float64] = np.sqrt(4 * np.asarray(truth["area_px"].values, float) / np.pi)
    if calibrated:
        sizes = [view.pixel_size_nm(frame) or (np.nan, np.nan) for frame in range(view.n_frames)]
        diameters = diameters * np.sqrt(np.prod(sizes, axis=1))[np.asarray(truth["frame"].values, int)]
    return diameters[_whole(truth)]


def _clusters(view: RunView) -> list[Row]:
    groups, truth = view.clusters, view.truth
    if groups is None or groups.size == 0:
        return []
    true = "" if truth is None or "population" not in truth else f"{len(set(map(str, truth['population'].values)))} populations"
    inside = int((groups >= 0).sum())
    # Particles that are cut or counted elsewhere are not clustered on purpose; members may still be among them.
    asked = max(inside, int((whole_particles(view) | (groups >= 0)).sum()))
    rows = [("clusters", text(int(np.unique(groups[groups >= 0]).size)), true)]
    only = "" if asked == groups.size else " of those whole and counted once"
    rows.append((f"particles in clusters{only}", f"{inside:,} of {asked:,} ({100 * inside / asked:.1f} %)", ""))
    quality = view.quality
    if truth is not None and quality is not None and {"purity", "members"} <= set(quality) and quality["purity"].ndim == 1:
        purity, members = (np.asarray(quality[name].values, float) for name in ("purity", "members"))
        known = np.isfinite(purity) & (members > 0)
        if known.any():
            rows.append(("purity of the clusters [%]", f"{100 * np.average(purity[known], weights=members[known]):.1f}", "100"))
    return rows


def _models(view: RunView) -> list[Row]:
    """Volumes of the particles of each group that has a model, and whether to believe it."""
    rows: list[Row] = []
    for name, made in list(view.reconstructions().items())[:_MOST_MODELS]:
        said = made.attrs
        mean = said.get("mean_volume_nm3", said.get("volume_nm3"))
        if isinstance(mean, (int, float)) and np.isfinite(mean):
            true, shape = said.get("truth_volume_nm3"), str(said.get("truth_shape") or "").replace("_", " ")
            known = f"{text(float(true))} ({shape})" if isinstance(true, (int, float)) and np.isfinite(true) else ""
            rows.append((f"volume of a particle of {model_name(name)} [nm³]", f"{text(float(mean))} ({said.get('verdict', '')})", known))
    return rows


def _found(view: RunView) -> list[Row]:
    """How many of the true particles were found, and how well."""
    truth = view.truth
    if truth is None or "iou" not in truth:
        return []
    iou, whole = np.asarray(truth["iou"].values, float), _whole(truth)
    rows: list[Row] = []
    kinds = [("whole in their frame", whole)]
    if not _drops_border(view):
        kinds.append(("cut by the border", ~whole))
    for what, asked in kinds:
        found = asked & (iou >= FOUND_IOU)
        if asked.any():
            share = f"{int(found.sum()):,} ({100 * found.sum() / asked.sum():.1f} %)"
            rows.append((f"true particles {what} that were found (IoU ≥ {FOUND_IOU})", share, f"{int(asked.sum()):,}"))
            if found.any():
                rows.append((f"their mean IoU, {what}", f"{iou[found].mean():.3f}", "1"))
    return rows


def _imaged(view: RunView) -> list[Row]:
    """Of a simulation: what is counted and matches nothing true; of a session how much has an image, and is counted once."""
    known = view.attributes.get("truth")
    if not isinstance(known, Mapping):
        return []
    names = {
        "imaged_fraction": "particles of the surveyed area that were imaged whole [%]",
        "counted_once_fraction": "particles found that are counted exactly once [%]",
    }
    shares = {said: known[name] for name, said in names.items() if isinstance(known.get(name), float) and np.isfinite(known[name])}
    rows = [(said, f"{100 * share:.1f}", "100") for said, share in shares.items()]
    if isinstance(known.get("n_false"), (int, float)):
        rows.append(("particles counted that match no true one", f"{known['n_false']:,.0f}", "0"))
    return rows


def _drops_border(view: RunView) -> bool:
    """Whether particles at the border were not wanted: then nobody asks whether they were found."""
    settings = view.attributes.get("settings")
    chosen = settings.get("segment") if isinstance(settings, Mapping) else None
    return isinstance(chosen, Mapping) and bool(chosen.get("clear_border"))


def _whole(truth: Any) -> NDArray[np.bool_]:
    if "touches_border" not in truth:
        return np.ones(truth.sizes["particle"], bool)
    return ~np.asarray(truth["touches_border"].values, bool)


def _percentiles(values: NDArray[np.float64]) -> str:
    values = values[np.isfinite(values)]
    return " · ".join(text(float(v)) for v in np.percentile(values, [10, 50, 90])) if values.size else ""
