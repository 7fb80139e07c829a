"""The reconstruct stage: clusters one after the other on the client, the starts of each as tasks.

The volume is written before its record, the record before the journal entry. A cluster that fails costs no other.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import NanospaError, NanospaWarning
from nanospa.io.records import encode_record
from nanospa.io.store import Store
from nanospa.pipeline.distribute import Workers
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.reconstruction_images import Grid, cluster_images, grid_of
from nanospa.pipeline.reconstruction_plan import Group, groups, wanted
from nanospa.pipeline.reconstruction_settings import ReconstructSection
from nanospa.pipeline.reconstruction_tables import STAGE, forget_reconstructions, records, write_reconstructions
from nanospa.pipeline.reconstruction_truth import truth_of_cluster
from nanospa.pipeline.summary import Failure

if TYPE_CHECKING:
    import xarray as xr

#: Verdict and flag of a cluster with too few images to try, and verdict of one whose frames have no pixel size.
UNDER_DETERMINED, FEW, NOT_TRIED = "under-determined", "under_determined", "not tried"

Progress = Callable[[str, float, int, int], None]


def reconstruct_clusters(
    store: Store,
    settings: ReconstructSection,
    frames: Sequence[Frame],
    pool: Workers,
    *,
    only: Collection[int] | None = None,
    progress: Progress,
    failed: list[Failure],
) -> tuple[int, int]:
    """Reconstruct the clusters whose journal entry is not the one they would get; gives how many were done, and how many were before."""
    found = groups(store, frames, settings)
    asked = wanted(found, settings, only)
    if not found or (not asked and settings.clusters == "none"):
        forget_reconstructions(store)
        progress(STAGE, 0, 0, 0)
        return 0, 0
    store.journal.ensure(STAGE, len(found))
    _forget_stale(store, found)
    store.journal.trim(STAGE, len(found))
    done = store.journal.entries(STAGE)
    pending = [group for group in asked if int(done[group.cluster]) != group.entry]
    n_done = n_failed = 0
    progress(STAGE, 0, len(pending), 0)
    try:
        for group in pending:

            def tell(share: float, before: int = n_done + n_failed, broken: int = n_failed) -> None:
                progress(STAGE, before + min(max(float(share), 0.0), 0.999), len(pending), broken)

            store.journal.clear(STAGE, group.cluster)
            store.volumes.remove(group.name)
            try:
                _reconstruct(store, group, settings.box_px, pool, tell)
                n_done += 1
            except NanospaError as error:
                failed.append(Failure(STAGE, group.cluster, group.name, error.kind, str(error)))
                n_failed += 1
            except Exception as error:
                # One bad cluster must not cost the others.
                failed.append(Failure(STAGE, group.cluster, group.name, "error", f"{type(error).__name__}: {error}"))
                n_failed += 1
            progress(STAGE, n_done + n_failed, len(pending), n_failed)
    finally:
        # Also of a run that is interrupted: what is done has its rows.
        write_reconstructions(store, found, failed)
    return n_done, len(asked) - len(pending)


def _forget_stale(store: Store, found: Sequence[Group]) -> None:
    """Remove volumes of particles that are no longer those of a cluster of that number."""
    kept = {group.name for group, record in zip(found, records(store, len(found)), strict=True) if _of(record) == str(group.particles)}
    for group in found:
        if group.name not in kept:
            store.journal.clear(STAGE, group.cluster)
    for name in store.volumes.names():
        if name not in kept:
            store.volumes.remove(name)


def _of(record: Any) -> str | None:
    return None if record is None else record[0].get("particles")


def _reconstruct(store: Store, group: Group, box_px: int, pool: Workers, tell: Callable[[float], None]) -> None:
    """Reconstruct one cluster: its volume, its record, its journal entry."""
    # As text: JSON numbers of other readers end at 2^53.
    truth = truth_of_cluster(store, group.members)
    values: dict[str, Any] = {"particles": str(group.particles), "warnings": [], **truth}
    columns: dict[str, Any] = {}
    if len(group.members) < group.settings.min_images:
        values |= {"verdict": UNDER_DETERMINED, "flags": [FEW]}
    elif any(member.frame.pixel_size_nm is None for member in group.members):
        values |= {"verdict": NOT_TRIED, "warnings": [f"{group.name} was not reconstructed: the pixel size of its frames is unknown"]}
    else:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", NanospaWarning)
            dataset = _volume(store, group, box_px, pool, tell)
        said = [str(w.message) for w in caught if issubclass(w.category, NanospaWarning)]
        mean = float(dataset.attrs["volume_nm3"] * np.mean(dataset["volume_ratio"].to_numpy()))
        dataset = dataset.assign_attrs(cluster=group.cluster, name=group.name, mean_volume_nm3=mean, **truth)
        store.volumes.write(group.name, dataset)
        attributes = store.volumes.attributes(group.name)
        values |= {key: value for key, value in attributes.items() if key != "settings"}
        values |= {"box_px": dataset.sizes["x"], "warnings": [f"{group.name}: {text}" for text in said]}
        columns = {name: dataset[name].to_numpy() for name in ("scale", "volume_ratio", "correlation", "kept")}
    store.journal.mark(STAGE, group.cluster, group.entry, encode_record(values, columns))


def _volume(store: Store, group: Group, box_px: int, pool: Workers, tell: Callable[[float], None]) -> xr.Dataset:
    from nanospa import reconstruct

    grid = grid_of(group.members, box_px)
    _warn_of_mixture(group, grid)
    cut = cluster_images(store, group.members, grid, pool)
    settings = group.settings.model_dump()
    dataset = reconstruct.reconstruct(cut.images, pixel_size_nm=cut.pixel_size_nm, masks=cut.masks, map=pool.map, progress=tell, **settings)
    given: dict[str, Any] = {"particle": ("image", np.array([member.row for member in group.members], np.int64))}
    if dataset.sizes.get("x") == grid.box:
        given["images"] = (("image", "y", "x"), cut.images)
    return dataset.assign({name: (dims, values, _MEANINGS[name]) for name, (dims, values) in given.items()})


_MEANINGS = {
    "particle": {"units": "1", "long_name": "row of the particle table"},
    "images": {"units": "intensity", "long_name": "image of the particle, local background removed"},
}


def _warn_of_mixture(group: Group, grid: Grid) -> None:
    sizes = sorted({round(member.pixel_size_nm, 6) for member in group.members})
    if sizes[-1] > 1.001 * sizes[0]:
        _warn(f"images of pixel sizes {sizes[0]:.4g} … {sizes[-1]:.4g} nm are brought to {grid.pixel_size_nm:.4g} nm")
    dark = sum(member.dark for member in group.members)
    if dark:
        _warn(f"{dark} images show dark particles and are inverted: only images that grow with the thickness, as HAADF, give true volumes")
    stacks = {member.frame.stack for member in group.members}
    if len(stacks) > 1:
        _warn(f"images of {len(stacks)} stacks are taken as one: their intensities must be comparable")


def _warn(text: str) -> None:
    warnings.warn(text, NanospaWarning, stacklevel=2)
