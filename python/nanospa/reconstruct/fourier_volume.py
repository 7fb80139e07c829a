"""The Fourier transform of a volume, made ready to be sampled anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import ShapeError
from nanospa.schema import as_image


@dataclass(frozen=True, eq=False)
class FourierVolume:
    """Fourier transform of a volume on a grid padded twofold, with the interpolation kernel divided out.

    Any point inside the Nyquist sphere is interpolated from 4³ grid points by a Kaiser–Bessel kernel, to about 1e-3 of its value.

    Attributes
    ----------
    grid : numpy.ndarray of complex64, shape (box + 3, 2 box + 3, 2 box + 3)
        Half of Fourier space, axes (z, y, x), in steps of half a Fourier pixel; the origin is at index (1, box + 1, box + 1).
    box : int
        Side of the volume [px].

    References
    ----------
    Beatty, Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005): the kernel and its parameter.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> volume = np.zeros((16, 16, 16), np.float32)
    >>> volume[8, 8, 8] = 1
    >>> fourier = ns.reconstruct.FourierVolume.of(volume)
    >>> abs(fourier.sample([[0, 0, 0], [1.3, -2.2, 5.1]])).round(2)
    array([1., 1.], dtype=float32)
    """

    grid: NDArray[np.complex64]
    box: int

    @classmethod
    def of(cls, volume: Any, *, threads: int | None = None) -> FourierVolume:
        """Transform a volume.

        Parameters
        ----------
        volume : array_like of real dtype, shape (z, y, x)
            A cube with an even side; the origin is at index side // 2.
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        FourierVolume

        Raises
        ------
        ShapeError, DtypeError, NonFiniteError
            `volume` is not a finite real cube with an even side.

        Examples
        --------
        >>> import numpy as np
        >>> import nanospa as ns
        >>> ns.reconstruct.FourierVolume.of(np.ones((8, 8, 8))).box
        8
        """
        cube = as_cube(volume)
        return cls(_core.fourier_volume(cube, _threads.resolve(threads)), cube.shape[0])

    def sample(self, places: Any, *, threads: int | None = None) -> NDArray[np.complex64]:
        """Values of the transform at any places.

        Parameters
        ----------
        places : array_like of float, shape (…, 3)
            Places (x, y, z) in Fourier pixels of the box; 0 is given from Nyquist, length box / 2, on.
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        numpy.ndarray of complex64, shape (…,)

        Raises
        ------
        ShapeError
            The last axis of `places` is not 3 long.

        Examples
        --------
        >>> import numpy as np
        >>> import nanospa as ns
        >>> fourier = ns.reconstruct.FourierVolume.of(np.ones((8, 8, 8)))
        >>> abs(fourier.sample([0, 0, 0])).round()
        np.float32(512.0)
        """
        k = np.asarray(places, dtype=np.float32)
        if k.ndim == 0 or k.shape[-1] != 3:
            raise ShapeError(f"places: expected shape (…, 3), found {k.shape}")
        flat = np.ascontiguousarray(k.reshape(-1, 3))
        values = _core.fourier_samples(self.grid, self.box, flat, _threads.resolve(threads))
        return values.reshape(k.shape[:-1])


def as_cube(volume: Any, name: str = "volume") -> NDArray[np.float32]:
    """A finite float32 cube with an even side, C-contiguous."""
    cube = as_image(volume, name, ndim=3)
    n = cube.shape[0]
    if cube.shape != (n, n, n) or n < 4 or n % 2:
        raise ShapeError(f"{name}: expected a cube with an even side of at least 4, found shape {cube.shape}")
    return np.ascontiguousarray(cube, dtype=np.float32)
