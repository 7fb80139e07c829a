"""What an autofocus found and did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: What an autofocus may come to.
#:
#: fitted: the maximum of the fit. best_sample: the best image, where the fit has no maximum inside the range. rolled_back: the start,
#: because nothing was better by 1 %. no_signal: the start, because the images show nothing that could be in focus.
VERDICTS = ("fitted", "best_sample", "rolled_back", "no_signal")


@dataclass(frozen=True)
class FocusFit:
    """A Gaussian on an offset, fitted to the sharpness.

    Attributes
    ----------
    centre_nm : float
        Defocus of the maximum [nm].
    width_nm : float
        Standard deviation [nm].
    amplitude, offset : float
        Height above the offset, and the offset, in the unit of the sharpness.
    uncertainty_nm : float
        Standard deviation of the centre by the images' noise [nm].
    """

    centre_nm: float
    width_nm: float
    amplitude: float
    offset: float
    uncertainty_nm: float


@dataclass(frozen=True)
class FocusResult:
    """Outcome of an autofocus.

    Attributes
    ----------
    defocus_nm : float
        Defocus to set [nm].
    start_nm : float
        Defocus at the start [nm].
    verdict : str
        One of `VERDICTS`.
    samples_nm : tuple of float
        Defocus of every image, in the order in which they were taken [nm].
    sharpness : tuple of float
        Sharpness of every image, in the metric's unit.
    fit : FocusFit or None
        The fit, where there is one.
    message : str
        Why it came to that, in a sentence.
    """

    defocus_nm: float
    start_nm: float
    verdict: str
    samples_nm: tuple[float, ...] = ()
    sharpness: tuple[float, ...] = ()
    fit: FocusFit | None = None
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them.

        Returns
        -------
        dict
            A key an attribute; ``fit`` is a mapping or None.
        """
        return {**asdict(self), "samples_nm": list(self.samples_nm), "sharpness": list(self.sharpness)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FocusResult:
        """A result from what `as_dict` gave; other keys are ignored.

        Parameters
        ----------
        values : mapping
            The values.

        Returns
        -------
        FocusResult
        """
        fit = values.get("fit")
        return cls(
            defocus_nm=float(values["defocus_nm"]),
            start_nm=float(values["start_nm"]),
            verdict=str(values["verdict"]),
            samples_nm=tuple(float(v) for v in values.get("samples_nm", ())),
            sharpness=tuple(float(v) for v in values.get("sharpness", ())),
            fit=None if fit is None else FocusFit(**fit),
            message=str(values.get("message", "")),
        )
