"""temscript's NullMicroscope with what it lacks: STEM.

NullMicroscope has a stage, optics and a camera, but no STEM detectors and no binning of scans. They are added after temscript's
documentation and its issue 5 (FULL scans the whole field; binning makes fewer pixels of it).
"""

from __future__ import annotations

import nanospa as ns
import numpy as np

from tests.extras.optional import optional

temscript = optional("temscript")

#: Every calibration an operator can give; the stage turned by 37° and mirrored, the beam shift turned by 90°.
CALIBRATED = {
    "field_times_magnification": 0.1,
    "focus_unit": 1.0,
    "stage_matrix": ((0.8, 0.6), (0.6, -0.8)),
    "beam_shift_matrix": ((0.0, 1.0), (-1.0, 0.0)),
    "beam_current": "screen",
    "scan_rotation": 0.2,
}


class StemNull(temscript.NullMicroscope):
    """NullMicroscope with STEM: two detectors, scans of 2048 pixels at binning 1, magnifications in steps."""

    def __init__(self):
        super().__init__(wait_exposure=False)
        self.set_column_valves_open(True)
        self._mode = "STEM"
        self.seen = []

    def is_stem_available(self):
        return True

    def get_instrument_mode(self):
        return self._mode

    def set_instrument_mode(self, mode):
        self._mode = mode

    def get_stem_detectors(self):
        return {name: {"type": "STEM_DETECTOR", "binnings": [1, 2, 4, 8]} for name in ("HAADF", "BF")}

    def set_stem_magnification(self, value):
        super().set_stem_magnification(2 ** (round(4 * np.log2(value)) / 4))

    def set_stem_acquisition_param(self, param, ignore_errors=False):
        param = dict(param)
        if "binning" in param:
            binning = param.pop("binning")
            if binning not in (1, 2, 4, 8):
                raise ValueError(f"binning {binning}")
            self._stem_acq_param["binning"] = binning
        super().set_stem_acquisition_param(param, ignore_errors)

    def acquire(self, *detectors):
        param = self._stem_acq_param
        self.seen.append((*detectors, param["dwell_time(s)"], self.get_stem_rotation()))
        side = 2048 // param["binning"]
        image = np.arange(side * side, dtype=np.int32).reshape(side, side)
        return dict.fromkeys(detectors, image)


class StemOverGrid(StemNull):
    """STEM that sees a virtual specimen, through a stage and a beam shift that are turned as `CALIBRATED` says."""

    def __init__(self, specimen):
        super().__init__()
        self.specimen = specimen
        self.n_scans = 0

    def acquire(self, *detectors):
        stage = self.get_stage_position()
        place = np.linalg.solve(CALIBRATED["stage_matrix"], (stage["x"], stage["y"]))
        x, y = place + np.linalg.solve(CALIBRATED["beam_shift_matrix"], self.get_beam_shift())
        side = 2048 // self._stem_acq_param["binning"]
        field = CALIBRATED["field_times_magnification"] / self.get_stem_magnification()
        rotation = self.get_stem_rotation() - CALIBRATED["scan_rotation"]
        self.n_scans += 1
        fraction = self.specimen.image(
            centre_nm=(y * 1e9, x * 1e9),
            pixel_size_nm=field * 1e9 / side,
            shape=(side, side),
            rotation=rotation,
            defocus_nm=self.get_defocus() * CALIBRATED["focus_unit"] * 1e9,
        )
        electrons = self._stem_acq_param["dwell_time(s)"] * 13e-12 / 1.602176634e-19
        counts = ns.simulate.detect(fraction, electrons_per_pixel=electrons, seed_key=(self.n_scans,))
        return dict.fromkeys(detectors, counts.astype(np.int32))
