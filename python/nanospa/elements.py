"""Elements: their crystals, and how far their atoms swing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nanospa.errors import UnknownNameError

#: ħ² / (k · u): reduced Planck constant, Boltzmann constant, atomic mass unit (CODATA 2018) [K nm²].
_HBAR2_OVER_K_U = 1.054571817e-34**2 / (1.380649e-23 * 1.66053906660e-27) * 1e18


@dataclass(frozen=True)
class Element:
    """An element as a crystal.

    Attributes
    ----------
    symbol : str
        Symbol.
    number : int
        Atomic number.
    mass_u : float
        Atomic mass [u].
    lattice : str
        "fcc", "bcc" or "hcp".
    a_nm : float
        Lattice constant [nm].
    debye_K : float
        Debye temperature [K].
    c_nm : float
        Second lattice constant of hcp [nm].
    """

    symbol: str
    number: int
    mass_u: float
    lattice: str
    a_nm: float
    debye_K: float
    c_nm: float = 0.0

    @property
    def atoms_per_nm3(self) -> float:
        """Number density of atoms [nm⁻³]."""
        if self.lattice == "hcp":
            return float(4 / (math.sqrt(3) * self.a_nm**2 * self.c_nm))
        return float((4 if self.lattice == "fcc" else 2) / self.a_nm**3)

    def displacement_nm(self, temperature_K: float = 293.0) -> float:
        """Root mean square displacement of an atom along one axis [nm], in the Debye model.

        Parameters
        ----------
        temperature_K : float
            Temperature [K].

        Returns
        -------
        float
            Displacement [nm].

        References
        ----------
        Willis and Pryor, Thermal Vibrations in Crystallography (1975): u² = 3 ħ² T / (m k Θ²) (D₁(Θ/T) + Θ/4T) with the
        first Debye function D₁.
        """
        x = self.debye_K / temperature_K
        t = (np.arange(200) + 0.5) / 200 * x
        d1 = float(np.mean(t / np.expm1(t)))
        return math.sqrt(3 * _HBAR2_OVER_K_U * temperature_K / (self.mass_u * self.debye_K**2) * (d1 + x / 4))


#: Lattice constants: CRC Handbook of Chemistry and Physics; Debye temperatures: Kittel, Introduction to Solid State Physics, 8th ed.,
#: chapter 5, table 1.
ELEMENTS: dict[str, Element] = {
    element.symbol: element
    for element in (
        Element("Al", 13, 26.982, "fcc", 0.40496, 428),
        Element("Ni", 28, 58.693, "fcc", 0.3524, 450),
        Element("Cu", 29, 63.546, "fcc", 0.3615, 343),
        Element("Rh", 45, 102.906, "fcc", 0.3803, 480),
        Element("Pd", 46, 106.42, "fcc", 0.3891, 274),
        Element("Ag", 47, 107.868, "fcc", 0.4086, 225),
        Element("Ir", 77, 192.217, "fcc", 0.3839, 420),
        Element("Pt", 78, 195.084, "fcc", 0.3924, 240),
        Element("Au", 79, 196.967, "fcc", 0.4078, 165),
        Element("Fe", 26, 55.845, "bcc", 0.28665, 470),
        Element("Mo", 42, 95.95, "bcc", 0.3147, 450),
        Element("W", 74, 183.84, "bcc", 0.3165, 400),
        Element("Ti", 22, 47.867, "hcp", 0.2951, 420, 0.4684),
        Element("Co", 27, 58.933, "hcp", 0.2507, 445, 0.4069),
        Element("Ru", 44, 101.07, "hcp", 0.2706, 600, 0.4282),
    )
}


def known_element(symbol: str) -> Element:
    """The row of `ELEMENTS`; `UnknownNameError` names the accepted ones."""
    if symbol not in ELEMENTS:
        raise UnknownNameError(f"element: expected one of {', '.join(ELEMENTS)}, found {symbol!r}")
    return ELEMENTS[symbol]
