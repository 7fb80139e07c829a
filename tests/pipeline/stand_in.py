"""A session of made-up events on a microscope that is none: what the pipeline sees of an acquisition, in a few milliseconds."""

from __future__ import annotations

from nanospa import simulate
from nanospa.acquire import Event, Frame, StagePosition

#: Surveys, and images of each.
N_SURVEYS, N_IMAGES = 2, 3
SETTINGS = simulate.SimulateSettings(shape=(96, 96), n_particles=3, pixel_size_nm=0.4, touching=0.0)


class StandIn:
    """Gives simulated frames by number; `truth` as a simulated microscope has it."""

    name = "stand-in"

    def __init__(self):
        self.taken = []
        self.closed = self.aborted = False

    def frame(self, number):
        self.taken.append(number)
        image = simulate.frame(index=number, settings=SETTINGS).image
        size = SETTINGS.pixel_size_nm * 1e-9
        centre = (number * 25e-9, 0.0)
        return Frame(image, (size, size), centre, StagePosition(), 0.0, 1e-5, "2020-01-01T00:00:00", "HAADF", {"number": number})

    def truth(self, frame):
        made = simulate.frame(index=frame.metadata["number"], settings=SETTINGS)
        table = made.table.copy()
        table["id"] = table["label"].astype("int64") + 100 * frame.metadata["number"]
        return made.labels, table

    def abort(self):
        self.aborted = True

    def close(self):
        self.closed = True


def session():
    """Kinds and values of the events of a whole session."""
    plan = {"tiles": 2, "max_images": None}
    yield "start", {"plan": plan, "plan_hash": "1", "n_positions": N_SURVEYS, "stage_y_um": [0.0, 0.1], "stage_x_um": [0.0, 0.0]}
    image = 0
    for survey in range(N_SURVEYS):
        yield "move", {"position": survey, "row": survey, "column": 0, "stage_y_um": 0.1 * survey, "stage_x_um": 0.0}
        samples = {"samples_nm": [-10.0, 0.0, 10.0], "sharpness": [1.0, 2.0, 1.0], "verdict": "fitted", "defocus_nm": 0.0}
        yield "focus", {"position": survey, "mode": "coarse", **samples}
        tiles = [{"tile": k, "row": k // 2, "column": k % 2, "n_found": int(k < N_IMAGES), "selected": k < N_IMAGES} for k in range(4)]
        yield "survey", {"position": survey, "survey": survey, "tiles": tiles, **_frame(0.1 * survey)}
        for tile in range(N_IMAGES):
            yield "image", {"position": survey, "survey": survey, "tile": tile, "image": image, **_frame(0.025 * image)}
            image += 1
    yield "end", {"reason": "done"}


def acquire(microscope, plan=None, *, find_particles=None, zone_axis=None, on_frame=None, history=(), load_survey=None):
    """As `nanospa.acquire.acquire`: new events only, each frame before its event."""
    n_frames = 0
    for number, (kind, values) in enumerate(session()):
        event = Event(number, kind, {**values, "clock_s": 10.0 * number, "seconds": 10.0}, {"number": number})
        taken = kind in ("survey", "image")
        if number >= len(history):
            if taken:
                on_frame(microscope.frame(n_frames), event)
            yield event
        else:
            assert history[number] == event
        n_frames += taken


def _frame(stage_y_um):
    return {
        "stage_y_um": stage_y_um,
        "stage_x_um": 0.0,
        "pixel_size_y_nm": 0.4,
        "pixel_size_x_nm": 0.4,
        "height_px": 96,
        "width_px": 96,
        "defocus_nm": 3.0,
        "dwell_time_s": 1e-5,
        "time": "2020-01-01T00:00:00",
        "detector": "HAADF",
        "electrons_per_nm2": 100.0,
    }
