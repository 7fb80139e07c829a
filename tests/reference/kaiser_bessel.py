"""The interpolation kernel of Fourier space, as its formula has it."""

import numpy as np

WIDTH = 4
PADDING = 2
#: Beatty, Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005), eq. 5.
BETA = np.pi * np.sqrt((WIDTH / PADDING * (PADDING - 0.5)) ** 2 - 0.8)


def kernel(d):
    """At a distance in grid steps."""
    inside = 1 - (2 * np.asarray(d) / WIDTH) ** 2
    return np.where(inside >= 0, np.i0(BETA * np.sqrt(np.maximum(inside, 0))) / np.i0(BETA), 0)


def transform(x):
    """Its Fourier transform at position / padded size."""
    z = np.sqrt(BETA**2 - (np.pi * WIDTH * np.asarray(x)) ** 2)
    return WIDTH / np.i0(BETA) * np.sinh(z) / z
