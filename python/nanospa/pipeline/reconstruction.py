"""Reconstruct the clusters of a store, all or some of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.io.store import Store
from nanospa.pipeline.distribute import workers
from nanospa.pipeline.run import Progress, Run, as_settings, settings_of
from nanospa.pipeline.session_lock import unless_acquiring
from nanospa.pipeline.summary import Summary

if TYPE_CHECKING:
    import xarray as xr


def reconstruct(
    store: str | Path,
    settings: Any = None,
    *,
    clusters: Iterable[int] | None = None,
    scheduler: Any = "local",
    progress: Progress | None = None,
) -> Summary:
    """Reconstruct the clusters of a store in 3D; what was done with the same particles and settings is kept.

    Images are cut out of the frames anew: a box that holds the largest particle of the cluster, the local background removed, neighbours
    hidden. Particles that the border cuts, that count in another frame, or that are more than twice as large as most are left out; all
    others take part. A cluster becomes a group under ``volumes``, a row of the table ``reconstructions``, and each of its particles gets
    a volume in the particle table.

    Parameters
    ----------
    store : str or Path
        Folder of the store, with clusters.
    settings : Settings, mapping, str, Path or None
        Settings as of `nanospa.pipeline.run`, of which the section ``reconstruct`` counts. None takes those of the store.
    clusters : iterable of int, optional
        Clusters to reconstruct; none takes those of the settings.
    scheduler : str, Path, distributed.Client or None
        Where the starts of each cluster are computed, as of `nanospa.pipeline.run`; the result is the same, bit for bit.
    progress : callable, optional
        Called with ("reconstruct", clusters done, clusters in all, clusters failed); the first also with parts of one.

    Returns
    -------
    Summary
        `Summary.reconstructions` has the numbers of each cluster; those that failed are among `Summary.failed`.

    Raises
    ------
    SettingsError, UnknownNameError
        Settings or a point group that is not known.
    InvalidValueError
        The store has no such cluster.
    StoreError, StoreSchemaError
        The store cannot be written, is being acquired into, has no clusters, or is of another schema.
    SchedulerError
        The scheduler does not answer.

    Examples
    --------
    >>> import nanospa as ns, tempfile
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> settings = {"simulate": {"n_frames": 2, "shape": (256, 256), "n_particles": 4}, "cluster": {"method": "kmeans"}}
    >>> _ = ns.pipeline.run(settings, path, scheduler="sync", stages=("input", "segment", "measure", "cluster"))
    >>> {row["verdict"] for row in ns.pipeline.reconstruct(path, scheduler="sync").reconstructions}
    {'under-determined'}
    """
    path = Path(store)
    # Before anything is changed: there is a store, and the settings are settings.
    kept = settings_of(Store.open(path))
    chosen = kept.model_copy(update={"reconstruct": as_settings(settings, path).reconstruct})
    with workers(scheduler) as pool, unless_acquiring(path):
        only = None if clusters is None else tuple(clusters)
        return Run(Store.open(path, writable=True), chosen, pool, progress, only).all(("reconstruct",), None)


def read_reconstruction(store: str | Path, cluster: int) -> xr.Dataset:
    """The reconstruction of a cluster that a store holds.

    Parameters
    ----------
    store : str or Path
        Folder of the store.
    cluster : int
        Number of the cluster.

    Returns
    -------
    xarray.Dataset
        As `nanospa.reconstruct.reconstruct` gave it, with `images` (image, y, x), the images that went in, and `particle` (image), their
        rows of the particle table.

    Raises
    ------
    StoreError, StoreSchemaError
        No store, or of another schema.
    UnknownNameError
        The cluster was not reconstructed.

    Examples
    --------
    >>> import nanospa as ns, tempfile
    >>> from nanospa.io.store import Store
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> _ = Store.create(path)
    >>> ns.pipeline.read_reconstruction(path, 0)
    Traceback (most recent call last):
    nanospa.errors.UnknownNameError: .../run.zarr: expected a volume 'cluster_000', found none
    """
    from nanospa.pipeline.reconstruction_plan import volume_name

    return Store.open(store).volumes.read(volume_name(cluster))
