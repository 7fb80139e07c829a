"""A small microscope in memory: discs on a dark field, stage error, drift, a virtual clock, faults; every call is written down."""

from __future__ import annotations

import numpy as np
from nanospa.acquire import Frame, Region, StagePosition
from nanospa.errors import AcquisitionTimeout, BeamError, DetectorError, StageError, StageLimitError

FAULTS = {
    "timeout": AcquisitionTimeout,
    "stage_stall": StageError,
    "beam_trip": BeamError,
    "detector": DetectorError,
    "stage_limit": StageLimitError,
}


class StandIn:
    name = "stand-in"

    def __init__(
        self,
        *,
        density_per_um2=250.0,
        empty=None,
        stage_error_nm=0.0,
        drift_nm_per_s=(0.0, 0.0),
        limits_um=(-100.0, 100.0),
        without=(),
        faults=None,
        seed=0,
        size_nm=(10.0, 22.0),
    ):
        self.capabilities = frozenset(
            {"stage", "field_of_view", "defocus", "beam_shift", "beam_blank", "beam_current", "scan_region", "restore"} - set(without)
        )
        rng = np.random.default_rng(seed)
        n = int(density_per_um2 * 16)
        self.discs = np.column_stack([rng.uniform(-1000, 3000, (n, 2)), rng.uniform(*size_nm, n) / 2, rng.uniform(0.5, 1.5, n)])
        if empty is not None:
            y0, x0, y1, x1 = empty
            y, x = self.discs[:, 0], self.discs[:, 1]
            self.discs = self.discs[~((y > y0) & (y < y1) & (x > x0) & (x < x1))]
        self.stage_error_nm, self.drift, self.limits_um, self.seed = stage_error_nm, drift_nm_per_s, limits_um, seed
        # {method: [(n-th call, kind, times)]}
        self.faults = faults or {}
        self.calls = []
        self.state = {
            "clock": 0.0, "y": 0.0, "x": 0.0, "error_y": 0.0, "error_x": 0.0, "moves": 0, "field": 1e-6, "defocus": 0.0,
            "shift_y": 0.0, "shift_x": 0.0, "blanked": True, "counts": {},
        }  # fmt: skip

    def _call(self, name, *details):
        self.calls.append((name, *details))
        n = self.state["counts"].get(name, 0)
        self.state["counts"] = {**self.state["counts"], name: n + 1}
        for at, kind, times in self.faults.get(name, ()):
            if at <= n < at + times:
                raise FAULTS[kind](f"{name}: {kind}")

    def connect(self): ...
    def close(self): ...
    def abort(self): ...

    def clock(self):
        return self.state["clock"]

    def wait(self, seconds):
        self.calls.append(("wait", seconds))
        self.state["clock"] += seconds

    def get_state(self):
        return dict(self.state)

    def set_state(self, state):
        assert "restore" in self.capabilities
        self.calls.append(("set_state",))
        self.state = dict(state)

    def get_stage_position(self):
        return StagePosition(x=self.state["x"], y=self.state["y"])

    def set_stage_position(self, *, x=None, y=None, z=None, alpha=None, beta=None, relative=False, wait=True, timeout=None):
        assert not relative
        self._call("move", y, x)
        low, high = self.limits_um
        for value in (y, x):
            if not low * 1e-6 - 1e-12 <= value <= high * 1e-6 + 1e-12:
                raise StageLimitError(f"stage: {value}")
        self.state["moves"] += 1
        rng = np.random.default_rng((self.seed, self.state["moves"]))
        error = rng.normal(0, self.stage_error_nm * 1e-9, 2)
        self.state |= {"y": y, "x": x, "error_y": float(error[0]), "error_x": float(error[1])}
        self.state["clock"] += 3.0

    def get_stage_limits(self):
        low, high = self.limits_um
        return {"x": (low * 1e-6, high * 1e-6), "y": (low * 1e-6, high * 1e-6)}

    def is_stage_moving(self):
        return False

    def stop_stage(self):
        self.calls.append(("stop",))

    def get_field_of_view(self):
        return self.state["field"]

    def set_field_of_view(self, field_of_view):
        self.state["field"] = field_of_view

    def get_defocus(self):
        return self.state["defocus"]

    def set_defocus(self, defocus):
        self.state["defocus"] = defocus

    def get_stigmator(self):
        return (0.0, 0.0)

    def set_stigmator(self, x, y): ...

    def get_beam_shift(self):
        return (self.state["shift_x"], self.state["shift_y"])

    def set_beam_shift(self, x, y):
        assert "beam_shift" in self.capabilities
        self.state |= {"shift_x": x, "shift_y": y}

    def set_beam_blanked(self, blanked):
        self.state["blanked"] = blanked

    def get_beam_current(self):
        return 13e-12

    def detectors(self):
        return ("HAADF",)

    def truth_nm(self, centre):
        """Place of the specimen (y, x) that a frame with this nominal centre shows now."""
        s = self.state
        moved = np.array([s["error_y"], s["error_x"]]) * 1e9 - np.array(self.drift) * s["clock"]
        return np.array(centre) * 1e9 + moved

    def acquire(self, detectors, *, shape, dwell_time, region=None, rotation=0.0, frames=1):
        assert not self.state["blanked"]
        assert region is None or "scan_region" in self.capabilities
        region = region or Region()
        assert -1e-9 <= region.y <= 1 - region.height + 1e-9
        assert -1e-9 <= region.x <= 1 - region.width + 1e-9
        s = self.state
        self._call("acquire", shape, s["field"], region)
        pixel = np.array([s["field"] * region.height / shape[0], s["field"] * region.width / shape[1]])
        centre = (
            s["y"] + s["shift_y"] + (region.y + region.height / 2 - 0.5) * s["field"],
            s["x"] + s["shift_x"] + (region.x + region.width / 2 - 0.5) * s["field"],
        )
        true = self.truth_nm(centre)
        data = self.draw(true, pixel * 1e9, shape)
        key = np.rint(np.r_[true * 1e3, pixel * 1e15, s["defocus"] * 1e12]).astype(np.int64) + 2**40
        data = np.random.default_rng([self.seed, *key.tolist()]).poisson(400 * data + 40).astype(np.uint16)
        time = f"2020-01-01T00:00:{s['clock']:010.3f}"
        s["clock"] += dwell_time * shape[0] * shape[1] + 1.0
        metadata = {"true_y_nm": float(true[0]), "true_x_nm": float(true[1])}
        position = self.get_stage_position()
        return {
            "HAADF": Frame(data, (float(pixel[0]), float(pixel[1])), centre, position, s["defocus"], dwell_time, time, "HAADF", metadata)
        }

    def draw(self, centre_nm, pixel_nm, shape):
        blur = 0.5 + abs(self.state["defocus"] * 1e9 - 12.0) * 0.02
        y = centre_nm[0] + (np.arange(shape[0]) - (shape[0] - 1) / 2) * pixel_nm[0]
        x = centre_nm[1] + (np.arange(shape[1]) - (shape[1] - 1) / 2) * pixel_nm[1]
        image = np.zeros(shape)
        apart = np.abs(self.discs[:, :2] - (y.mean(), x.mean())) - self.discs[:, 2:3] - 4 * blur
        for cy, cx, radius, height in self.discs[(apart < np.array([np.ptp(y), np.ptp(x)]) / 2 + 1).all(axis=1)]:
            reach = radius + 4 * blur
            i, j = np.flatnonzero(np.abs(y - cy) < reach), np.flatnonzero(np.abs(x - cx) < reach)
            if i.size and j.size:
                distance = np.hypot(*np.meshgrid(y[i] - cy, x[j] - cx, indexing="ij"))
                image[i[0] : i[-1] + 1, j[0] : j[-1] + 1] += height / (1 + np.exp(np.clip((distance - radius) / (0.5 * blur), -50, 50)))
        return image
