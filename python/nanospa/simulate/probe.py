"""The electron probe and how defocus widens it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nanospa.errors import InvalidValueError

#: Standard deviation along one axis of a uniform disc, in its radius: the out-of-focus beam is a cone cut at a height.
DISC = 0.5


@dataclass(frozen=True)
class Probe:
    """A focused probe.

    Attributes
    ----------
    sigma_nm : float
        Standard deviation of the probe in focus, along one axis: diffraction at the aperture and the size of the source together;
        0.045 nm is a full width at half maximum of 0.106 nm [nm].
    convergence_rad : float
        Half angle of the beam's cone [rad].
    """

    sigma_nm: float = 0.045
    convergence_rad: float = 0.023

    def __post_init__(self) -> None:
        for name in ("sigma_nm", "convergence_rad"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InvalidValueError(f"{name}: expected a number >= 0, found {value!r}")

    def sigma(self, defocus_nm: float) -> float:
        """Standard deviation out of focus [nm]: the focused probe and the cut through the cone added in quadrature.

        Parameters
        ----------
        defocus_nm : float
            Distance of the specimen from focus, of either sign [nm].

        Returns
        -------
        float
            Standard deviation along one axis [nm].

        Examples
        --------
        >>> import nanospa as ns
        >>> round(ns.simulate.Probe().sigma(100.0), 2)
        1.15
        """
        return math.hypot(self.sigma_nm, DISC * self.convergence_rad * defocus_nm)
