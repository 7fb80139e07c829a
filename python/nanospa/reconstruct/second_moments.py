"""Second moments of particle images: what they say of the symmetry before any orientation is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.prepared import Prepared

#: Anisotropy up to which a population of cubic or icosahedral shapes passes: axes that scatter by 2 … 3 % give 0.03 … 0.04, a square
#: prism of aspect 1.2 gives 0.13, a decahedron 0.33.
ANISOTROPY = 0.06

#: Squares count for no more than this many medians: over a prism's orientations they reach two, noise alone exceeds six in 2 %.
CAP = 6.0

#: Standard errors by which its square must exceed that of noise.
ANISOTROPY_SIGMA = 3.0


@dataclass(frozen=True)
class SecondMoments:
    """Second central moments of each image and how far they are from round.

    Attributes
    ----------
    tensors_nm2 : numpy.ndarray of float64, shape (image, 2, 2)
        ⟨(x, y) (x, y)ᵀ⟩ weighted with intensity [nm²].
    errors_nm2 : numpy.ndarray of float64, shape (image,)
        Standard error of xy and of (xx − yy) / 2 from noise [nm²].
    anisotropy : float
        Root mean square over the images, outliers capped, of half the difference of the two principal moments over their mean, without
        what noise adds [-].
    z : float
        Its square over that square's standard error [-].
    allows_cubic : bool
        Whether the images can be those of a shape with the symmetry T, O or I.
    """

    tensors_nm2: NDArray[np.float64]
    errors_nm2: NDArray[np.float64]
    anisotropy: float
    z: float
    allows_cubic: bool


def second_moments(prepared: Prepared) -> SecondMoments:
    """Second moments of each image, and whether they allow a cubic or icosahedral shape.

    A density with the symmetry T, O or I has an isotropic second-moment tensor, so that the second moments of each of its projections are
    those of a disc, from whatever direction. Images that are longer than wide exclude these groups, whatever the model says. A density
    with one main axis has the moments a across it and c along it; an image at the angle θ to the axis shows a and a cos² θ + c sin² θ,
    the second along the projected axis.

    Parameters
    ----------
    prepared : Prepared
        Images.

    Returns
    -------
    SecondMoments

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> views = [ns.simulate.random_rotation(np.random.default_rng(i)) for i in range(8)]
    >>> def allowed(shape):
    ...     images = [ns.simulate.particle(shape, size_nm=10, pixel_size_nm=0.8, box_px=48, rotation=r) for r in views]
    ...     return ns.reconstruct.second_moments(ns.reconstruct.prepare(np.stack(images), pixel_size_nm=0.8)).allows_cubic
    >>> allowed("cube"), allowed("decahedron")
    (True, False)
    """
    box = prepared.box
    axis = (np.arange(box) - box // 2).astype(np.float64)
    images = prepared.images.astype(np.float64)
    total = images.sum(axis=(1, 2))
    total = np.where(total > 0, total, np.inf)
    along_x, along_y = images.sum(axis=1), images.sum(axis=2)
    mx, my = along_x @ axis / total, along_y @ axis / total
    xx = along_x @ axis**2 / total - mx**2
    yy = along_y @ axis**2 / total - my**2
    xy = np.einsum("iyx,y,x->i", images, axis, axis) / total - mx * my
    circle = prepared.circle().astype(np.float64)
    x, y = np.meshgrid(axis, axis)
    # On a circle both parts of the anisotropy have the same variance, but for its pixels.
    error = (
        prepared.noise_density / total * math.sqrt(float(((circle * x * y) ** 2).sum() + ((circle * (x * x - y * y) / 2) ** 2).sum()) / 2)
    )
    mean = max(float(np.mean(xx + yy)) / 2, 1e-12)
    raw = ((xx - yy) / 2) ** 2 + xy**2
    # A few images of something else, a pair or a piece, must not speak for all.
    squares = (np.minimum(raw, CAP * np.median(raw)) - 2 * error**2) / mean**2
    square = float(squares.mean())
    # Each of the two parts has the variance 2 error⁴ of a squared Gaussian.
    chance = 2 * math.sqrt(float((error**4).sum())) / (mean**2 * len(images))
    spread = float(squares.std(ddof=1)) / math.sqrt(len(squares)) if len(squares) > 1 else 0.0
    uncertain = max(chance, spread, 1e-12)
    anisotropy = math.sqrt(max(square, 0.0))
    return SecondMoments(
        tensors_nm2=np.stack([np.stack([xx, xy], axis=1), np.stack([xy, yy], axis=1)], axis=1) * prepared.pixel_size_nm**2,
        errors_nm2=error * prepared.pixel_size_nm**2,
        anisotropy=anisotropy,
        z=square / uncertain,
        allows_cubic=not (anisotropy > ANISOTROPY and square > ANISOTROPY_SIGMA * uncertain),
    )
