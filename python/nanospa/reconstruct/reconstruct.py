"""Reconstruction of a volume from images of many particles of one shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _threads
from nanospa.reconstruct.checks import checks, class_labels, few, inversion_expected
from nanospa.reconstruct.classify import Classes
from nanospa.reconstruct.compare import compare
from nanospa.reconstruct.density import density
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.misfit import misfit
from nanospa.reconstruct.prepare import CUT_SHARE, prepare
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.refine import Refined, half_sets, held_out, noise_to_signal, polish, refine, subset
from nanospa.reconstruct.refine_poses import correlations
from nanospa.reconstruct.search import BEST, search
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.settings import ReconstructSettings, checked_settings
from nanospa.reconstruct.solution import Solution, as_dataset
from nanospa.reconstruct.sphere import radial_profile, sphere_test, sphere_volume
from nanospa.reconstruct.starts import Model
from nanospa.reconstruct.symmetry import Symmetry
from nanospa.reconstruct.verdict import verdict

if TYPE_CHECKING:
    import xarray as xr

#: Side of the images while searching, and in the first refinement [px].
SEARCH_BOX, MIDDLE_BOX = 32, 64


def reconstruct(
    images: Any,
    *,
    pixel_size_nm: float | None = None,
    symmetry: str = "O",
    n_starts: int = 32,
    seed: int = 0,
    masks: Any = None,
    min_images: int = 20,
    normalise_size: bool = True,
    max_classes: int = 1,
    map: Callable[..., Iterable[Any]] | None = None,
    progress: Callable[[float], None] | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Reconstruct the shape of particles of one kind, each imaged once from an unknown direction.

    Many starting volumes are refined by projection matching in a small box; their end models fall into basins, and closure under the corner
    permutations of the group's triangle brings out the basins that no start has reached. The best basins are refined in larger boxes, the
    last with continuous orientations and the filter that its half-sets allow. The verdict comes from comparing the best model with its best
    other basin image by image: a high correlation alone proves no shape.

    Parameters
    ----------
    images : array_like of real dtype, shape (image, y, x)
        Particles of one kind, bright on their background, one each; a DataArray gives its own pixel size.
    pixel_size_nm : float
        Pixel size [nm].
    symmetry : str
        Point group of rotations that the shape is assumed to have: C1, C2 …, D2 …, T, O or I.
    n_starts : int
        Starting volumes.
    seed : int
        Seed of the starting volumes and of the half-sets. The result depends on nothing else, not on threads or workers.
    masks : array_like of bool, shape (image, y, x), optional
        Where each particle is, from a segmentation: keeps neighbours out.
    min_images : int
        Images below which the result is called under-determined; below 20 it always is.
    normalise_size : bool
        Whether images are brought to one particle size first; each particle's own is given in `scale`.
    max_classes : int
        Most shapes that are looked for inside the group (1 … 4); 1 looks for none.
    map : callable, optional
        ``map(function, items)`` for the starts, which are independent; function and items can be pickled. By default they run on the
        threads of this process.
    progress : callable, optional
        Called with the share that is done, 0 … 1 [-].
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    xarray.Dataset
        Variables and attributes as `nanospa.schema.volumes` lists them.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, EmptyInputError, PixelSizeError, InvalidValueError
        Images or arguments that cannot be used; the message says which.
    UnknownNameError
        No such point group.

    References
    ----------
    T. J. A. Slater et al., "Automated single-particle reconstruction of heterogeneous inorganic nanoparticles", Microscopy and
    Microanalysis 26, 1168 (2020). Projection matching: P. A. Penczek et al., Ultramicroscopy 53, 251 (1994).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> views = [ns.simulate.random_rotation(np.random.default_rng(i)) for i in range(40)]
    >>> images = [ns.simulate.particle("cube", size_nm=10, pixel_size_nm=0.8, box_px=32, rotation=r) for r in views]
    >>> found = ns.reconstruct.reconstruct(np.stack(images), pixel_size_nm=0.8, symmetry="O", n_starts=6)
    >>> found.attrs["verdict"], abs(found.attrs["volume_nm3"] / 975 - 1) < 0.05
    ('confident', True)
    """
    settings = checked_settings(
        symmetry=Symmetry.of(symmetry).name,
        n_starts=n_starts,
        seed=seed,
        min_images=min_images,
        normalise_size=normalise_size,
        max_classes=max_classes,
    )
    with _threads.threads(_threads.resolve(threads)):
        central = "auto" if inversion_expected(Symmetry.of(settings.symmetry)) else False
        prepared = prepare(images, pixel_size_nm=pixel_size_nm, masks=masks, normalise_size=normalise_size, centrosymmetric=central)
        tell = progress or (lambda share: None)
        round_ = sphere_test(prepared).is_sphere
        solution = solve_sphere(prepared, settings) if round_ else solve(prepared, settings, map=map or _threads.map_items, progress=tell)
        tell(1.0)
        return as_dataset(solution, prepared, settings)


def solve(
    prepared: Prepared, settings: ReconstructSettings, *, map: Callable[..., Iterable[Any]], progress: Callable[[float], None]
) -> Solution:
    """Search, compare, refine and check."""
    small = prepared.at(min(SEARCH_BOX, prepared.box))
    box = search_box(small, settings)
    found = search(
        box, small.ball_radius_px, n_starts=settings.n_starts, seed=settings.seed, map=map, progress=lambda share: progress(0.6 * share)
    )
    half_set = half_sets(len(prepared.images), settings.seed)
    middle = search_box(prepared.at(min(MIDDLE_BOX, prepared.box)), settings)
    compared = compare(middle, [scaled(model, middle.box / box.box) for model in found.basins[:BEST]], half_set)
    progress(0.8)
    finest, best, seen = middle, compared.best, compared.held_out
    if prepared.box > middle.box:
        finest = search_box(prepared, settings)
        best = refine(finest, scaled(best.model, finest.box / middle.box), half_set, everywhere=False)
        seen = held_out(finest, best, half_set, best.limit)
    progress(0.9)
    poses = best.model.poses
    checked = checks(prepared, poses, settings)
    arrays: dict[str, NDArray[Any]] = {
        "volume": best.model.volume,
        "half_volumes": best.halves,
        "rotations": poses.rotations,
        "shifts": prepared.shifts_in_given(poses.shifts),
        "scale": prepared.scales if checked.sizes is None else checked.sizes.scales,
        "volume_ratio": prepared.scales**3,
        "correlation": seen.scores,
        "kept": best.kept,
        "half_set": half_set,
        "fsc": best.fsc,
        "fsc_unmasked": best.fsc_unmasked,
        "start_scores": np.array([model.score for model in found.starts]),
        "start_basin": np.array(found.start_basin),
        "start_kind": np.array([model.origin for model in found.starts]),
        "basin_scores": np.array([model.score for model in found.basins]),
        "basin_origin": np.array([model.origin for model in found.basins]),
    }
    labels = class_labels(checked.classes, settings)
    if labels is not None:
        arrays["shape_class"] = labels
        arrays["class_volumes"] = np.stack([class_volume(finest, checked.classes, k, best) for k in range(checked.classes.count)])
    return Solution(
        arrays=arrays,
        verdict="under-determined" if few(prepared, settings) else verdict(compared.margin_z, checked.flags),
        margin=compared.margin,
        margin_z=compared.margin_z,
        flags=tuple(checked.flags),
        figures={
            "explained": misfit(prepared.at(finest.box), seen.scores, last=best.limit).explained,
            "preferred_symmetry": checked.preferred,
            "coverage": checked.coverage,
            "evenness": checked.evenness,
            "size_reliability": checked.sizes.reliability if checked.sizes is not None else math.nan,
        },
    )


def solve_sphere(prepared: Prepared, settings: ReconstructSettings) -> Solution:
    """The density along the radius, where the images are round: orientations mean nothing."""
    volume = sphere_volume(radial_profile(prepared), prepared.box)
    count = len(prepared.images)
    unturned = np.broadcast_to(np.eye(3), (count, 3, 3))
    fits = correlations(FourierVolume.of(volume), prepared.images, unturned, np.zeros((count, 2)))
    raised = {"under_determined": few(prepared, settings), "cut_by_border": bool(prepared.cut.mean() > CUT_SHARE)}
    return Solution(
        arrays={
            "volume": volume,
            "shifts": prepared.shifts,
            "scale": prepared.scales,
            "volume_ratio": prepared.scales**3,
            "correlation": fits,
            "kept": np.ones(count, dtype=bool),
        },
        verdict="under-determined" if raised["under_determined"] else "sphere",
        margin=math.nan,
        margin_z=math.nan,
        flags=tuple(name for name, there in raised.items() if there),
        figures={"explained": misfit(prepared, fits, last=prepared.box // 2 - 1).explained},
    )


def class_volume(search: SearchBox, classes: Classes, number: int, best: Refined) -> NDArray[np.float32]:
    """Density of one of several shapes, from its images at the poses that they have in it."""
    found = classes.model.poses[number]
    rows = classes.labels == number
    if not rows.any():
        return np.zeros_like(best.model.volume)
    box = classes.model.volumes[number].shape[0]
    own = replace(search, images=search.images[rows])
    poses = subset(replace(found, shifts=found.shifts * (search.box / box)), rows)
    filter_ = noise_to_signal(best.fsc)
    return density(own, polish(own, density(own, poses, best.fsc, filter_), poses, best.limit), best.fsc, filter_)


def search_box(prepared: Prepared, settings: ReconstructSettings) -> SearchBox:
    """The images at their box, ready for matching."""
    return SearchBox(
        images=prepared.images,
        radius_px=prepared.radius_px,
        symmetry=settings.symmetry,
        centrosymmetric=prepared.centrosymmetric,
        max_shift_px=1.0,
    )


def scaled(model: Model, factor: float) -> Model:
    """A model's poses in a box that is larger by a factor."""
    return replace(model, poses=replace(model.poses, shifts=np.asarray(model.poses.shifts) * factor))
