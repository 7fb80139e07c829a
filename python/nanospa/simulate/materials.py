"""Materials and what they scatter to a high-angle annular dark-field detector."""

from __future__ import annotations

from dataclasses import dataclass

from nanospa.elements import ELEMENTS
from nanospa.errors import UnknownNameError

#: Exponent of the atomic number in the high-angle signal: between Rutherford's 2 and the screened value for 50–200 mrad
#: (Treacy, Microsc. Microanal. 17 (2011) 847).
Z_EXPONENT = 1.7

#: Cross-section of one Au atom for scattering beyond 80 mrad (to about 190 mrad) at 200 kV [nm²]: unscreened relativistic Rutherford
#: scattering, 4 γ² Z² / (a₀² k⁴) · π (1/θ₁² − 1/θ₂²) with γ = 1.391, k = 2π / 2.508 pm, is 1.77e-4; screening is left to the exponent.
CROSS_SECTION_AU_NM2 = 1.77e-4

#: Atomic number of Au, to which the cross-section is normalised.
Z_AU = 79


@dataclass(frozen=True)
class Material:
    """A homogeneous material.

    Attributes
    ----------
    composition : tuple of (int, float)
        Atomic numbers and their atomic fractions.
    atoms_per_nm3 : float
        Number density of atoms [nm⁻³].
    """

    composition: tuple[tuple[int, float], ...]
    atoms_per_nm3: float

    @property
    def mean_z_power(self) -> float:
        """Mean of Z^1.7 over the atoms [-]."""
        return float(sum(fraction * z**Z_EXPONENT for z, fraction in self.composition))

    @property
    def cross_section_nm2(self) -> float:
        """Mean cross-section of an atom for scattering to the detector [nm²]."""
        return float(CROSS_SECTION_AU_NM2 * self.mean_z_power / Z_AU**Z_EXPONENT)

    @property
    def scattered_per_nm(self) -> float:
        """Fraction of the beam that a thickness of one nanometre sends to the detector [1/nm]."""
        return float(self.atoms_per_nm3 * CROSS_SECTION_AU_NM2 * self.mean_z_power / Z_AU**Z_EXPONENT)


#: Elements; PtNi, fcc, by Vegard's rule (0.3724 nm); amorphous carbon at 2.0 g/cm³.
MATERIALS: dict[str, Material] = {
    **{element.symbol: Material(((element.number, 1.0),), element.atoms_per_nm3) for element in ELEMENTS.values()},
    "PtNi": Material(((78, 0.5), (28, 0.5)), 4 / 0.3724**3),
    "C": Material(((6, 1.0),), 100.3),
}


def known_material(name: str) -> Material:
    """The row of `MATERIALS`; `UnknownNameError` names the accepted ones."""
    if name not in MATERIALS:
        raise UnknownNameError(f"material: expected one of {', '.join(MATERIALS)}, found {name!r}")
    return MATERIALS[name]
