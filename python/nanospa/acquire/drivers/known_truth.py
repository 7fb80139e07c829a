"""The truth of what a simulated microscope has scanned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers.recorder import KEPT_SCANS, NM, Recorder, Trace
from nanospa.acquire.microscope import Frame
from nanospa.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd


class KnownTruth:
    """What no session knows and no protocol has: the truth, for tests and for judging results."""

    _recorder: Recorder

    def truth(self, frame: Frame) -> tuple[NDArray[np.int32], pd.DataFrame]:
        """Truth of a frame that this microscope took since it was made (of the first scan, where it is several).

        Parameters
        ----------
        frame : Frame
            The frame.

        Returns
        -------
        labels : numpy.ndarray of int32, shape (y, x)
            Truth labels, 0 is background.
        table : pandas.DataFrame
            One row a particle, as `VirtualSpecimen.truth` gives it; `id` names a particle across frames.

        Raises
        ------
        UnknownNameError
            The frame is none of this microscope's latest.
        """
        return self._recorder.truth(self._trace_of(frame))

    def true_centre(self, frame: Frame) -> tuple[float, float]:
        """Where the middle of a frame truly was when its scan began, (y, x) on the specimen [m]."""
        y, x = self._trace_of(frame).centre_nm
        return y / NM, x / NM

    def particles_in(self, frames: Frame | Sequence[Frame]) -> pd.DataFrame:
        """True particles whose centre lies in the field of one frame at least, each once.

        Parameters
        ----------
        frames : Frame or sequence of Frame
            At least one frame that this microscope took since it was made.

        Returns
        -------
        pandas.DataFrame
            One row a particle, as `VirtualSpecimen.particles` gives it, in order of `id`.
        """
        return self._recorder.particles_in([self._trace_of(f) for f in ([frames] if isinstance(frames, Frame) else frames)])

    def _trace_of(self, frame: Frame) -> Trace:
        name = frame.metadata.get("scan_key")
        if name not in self._recorder.traces:
            latest = f"one of the latest {KEPT_SCANS} that this microscope took since it was made"
            raise UnknownNameError(f"frame: expected {latest}, found scan_key {name!r}")
        return self._recorder.traces[name]
