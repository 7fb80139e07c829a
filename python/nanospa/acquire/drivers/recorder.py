"""What the beam of the simulated microscope truly does during a scan: images of it, and its truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers.keyed import normal
from nanospa.acquire.drivers.scan_pattern import ScanPattern
from nanospa.acquire.drivers.simulated_settings import SimulatedSettings
from nanospa.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

NM = 1e9
#: Latest scans whose truth is kept: 12 kB each, a long session has tens of thousands.
KEPT_SCANS = 4096


@dataclass(frozen=True)
class Trace:
    """Where the beam of one scan truly went, in nm on the specimen."""

    scan: ScanPattern
    centre_nm: tuple[float, float]
    defocus_nm: float
    line_shift_nm: NDArray[np.float64]
    column_shift_nm: NDArray[np.float64]

    def geometry(self) -> dict[str, Any]:
        """Arguments of the specimen's image and truth alike."""
        return {
            "centre_nm": self.centre_nm,
            "pixel_size_nm": (self.scan.pixel_size[0] * NM, self.scan.pixel_size[1] * NM),
            "shape": self.scan.shape,
            "rotation": self.scan.rotation,
            "line_shift_nm": self.line_shift_nm,
            "column_shift_nm": self.column_shift_nm,
        }


class Recorder:
    """Scans the specimen, and alone knows it."""

    def __init__(self, specimen: Any, settings: SimulatedSettings) -> None:
        self._settings = settings
        self._specimen: Any = _specimen(specimen, settings.seed)
        #: Latest scans by their name.
        self.traces: dict[str, Trace] = {}

    def specimen_text(self) -> str:
        """What tells one specimen from another."""
        settings: Any = getattr(self._specimen, "settings", None)
        return str(settings.model_dump_json()) if hasattr(settings, "model_dump_json") else type(self._specimen).__qualname__

    def trace(self, name: str, scan: ScanPattern, *, centre: NDArray[np.float64], drift: NDArray[np.float64], defocus: float) -> Trace:
        """The way of the beam: `centre` (y, x) at the start, `drift` (row, 2) of the lines since, `defocus` from the stage's z [m]."""
        settings = self._settings
        jitter = settings.line_jitter * normal(2 * scan.shape[0], name, "jitter").reshape(-1, 2)
        # The same scan again counts as the latest.
        self.traces.pop(name, None)
        self.traces[name] = trace = Trace(
            scan=scan,
            centre_nm=(float(centre[0]) * NM, float(centre[1]) * NM),
            defocus_nm=defocus * NM,
            line_shift_nm=(drift + jitter) * NM,
            column_shift_nm=scan.flyback_shift(settings.flyback_lag, settings.flyback_lag_time) * NM,
        )
        while len(self.traces) > KEPT_SCANS:
            del self.traces[next(iter(self.traces))]
        return trace

    def image(self, trace: Trace, electrons_per_pixel: float, noise_key: tuple[object, ...]) -> NDArray[np.uint16]:
        """Counts of a scan; without electrons what the detector gives of itself."""
        from nanospa.simulate import Probe, detect

        settings = self._settings
        if electrons_per_pixel == 0.0:
            fraction = np.zeros(trace.scan.shape, dtype=np.float32)
        else:
            probe = Probe(sigma_nm=settings.probe_sigma * NM, convergence_rad=settings.convergence_angle)
            fraction = self._specimen.image(**trace.geometry(), defocus_nm=trace.defocus_nm, probe=probe)
        counts: NDArray[np.uint16] = detect(
            fraction,
            electrons_per_pixel=electrons_per_pixel,
            gain=settings.detector_gain,
            offset=settings.detector_offset,
            read_noise=settings.read_noise,
            seed_key=noise_key,
        )
        return counts

    def truth(self, trace: Trace) -> tuple[NDArray[np.int32], pd.DataFrame]:
        """Truth labels and table of a scan."""
        labels, table = self._specimen.truth(**trace.geometry())
        return labels, table

    def particles_in(self, traces: Sequence[Trace]) -> pd.DataFrame:
        """Particles whose centre lies in the field of a scan, each once, in order of `id`."""
        import pandas as pd

        tables: list[pd.DataFrame] = []
        for trace in traces:
            (y, x), scan = trace.centre_nm, trace.scan
            half_y, half_x = (n * p * NM / 2 for n, p in zip(scan.shape, scan.pixel_size, strict=True))
            cos, sin = math.cos(scan.rotation), math.sin(scan.rotation)
            reach_y, reach_x = abs(half_x * sin) + abs(half_y * cos), abs(half_x * cos) + abs(half_y * sin)
            table = self._specimen.particles(y - reach_y, x - reach_x, y + reach_y, x + reach_x)
            dy, dx = table["y_nm"].to_numpy() - y, table["x_nm"].to_numpy() - x
            tables.append(table[(abs(dx * cos + dy * sin) <= half_x) & (abs(dy * cos - dx * sin) <= half_y)])
        return pd.concat(tables).drop_duplicates("id").sort_values("id", ignore_index=True)


def _specimen(specimen: Any, seed: int) -> Any:
    """A virtual specimen: of a name, of settings, or as it is."""
    if hasattr(specimen, "image") and hasattr(specimen, "particles"):
        return specimen
    from nanospa.simulate import VirtualSpecimen

    if isinstance(specimen, str):
        return VirtualSpecimen(specimen, seed=seed)
    if isinstance(specimen, Mapping):
        fields = dict(specimen)
        return VirtualSpecimen(fields.pop("preset", None), **{"seed": seed, **fields})
    if hasattr(specimen, "model_dump"):
        return VirtualSpecimen(specimen)
    raise SettingsError(f"specimen: expected a name, a mapping of settings or a VirtualSpecimen, found {type(specimen).__name__}")
