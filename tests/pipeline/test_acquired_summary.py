"""A session beside the truth: true particles by name, what is false, and what became of the session."""

import numpy as np
import pytest
import xarray as xr
from nanospa.cli import output
from nanospa.io.store import Store
from nanospa.pipeline import Settings, Summary
from nanospa.pipeline.acquired_summary import single_particles
from nanospa.pipeline.summarise import truth_of

#: Names of particles found in each frame; "" is none. The last two do not count: a duplicate and a cut one.
FOUND = [(0, 1, "a"), (0, 2, "b"), (0, 3, ""), (1, 1, "a"), (1, 2, ""), (1, 3, ""), (1, 4, "")]


def columns(dim, **values):
    return xr.Dataset({name: (dim, np.asarray(value)) for name, value in values.items()})


@pytest.fixture
def store(tmp_path):
    """True particles "a", counted twice by mistake, "b", and "c", not found; of four false ones two count."""
    made = Store.ensure(tmp_path / "run.zarr")
    frame, label, _ = (list(each) for each in zip(*FOUND, strict=True))
    diameter = [10.0, 20.0, 5.0, 14.0, 5.0, 5.0, 5.0]
    particles = columns("particle", frame=frame, label=label, equivalent_diameter_nm=diameter)
    particles["duplicate"] = ("particle", np.array([0, 0, 0, 0, 0, 1, 0], bool))
    particles["touches_border"] = ("particle", np.array([0, 0, 0, 0, 0, 0, 1], bool))
    made.write_table("particles", particles)
    truth = columns("particle", frame=[0, 0, 0, 1], found_label=[1, 2, 0, 1], id=[7, 8, 9, 7], iou=[0.9, 0.9, 0.0, 0.9])
    truth["touches_border"] = ("particle", np.zeros(4, bool))
    truth["population"] = ("particle", np.array(["Au", "Au", "Au", "Au"], object))
    truth["area_px"] = ("particle", np.array([100.0, 100.0, 100.0, 100.0]))
    made.write_table("truth", truth)
    made.write_table("acquisition", columns("event", number=[0]))
    tiles = columns("row", survey=[0], tile_row=[0], tile_column=[0])
    made.write_table("tiles", tiles.assign(state=("row", np.array(["imaged"], object)), reason=("row", np.array([""], object))))
    made.write_table("frame_table", columns("frame", pixel_size_y_nm=[1.0, 1.0], pixel_size_x_nm=[1.0, 1.0]))
    made.journal.ensure("survey", 0)
    return made


def test_false_particles_are_told(store, capsys):
    truth = truth_of(store, Settings())
    assert truth["n_false"] == 2
    output.set_level(0, False)
    output.print_summary(Summary("run.zarr", n_frames=2, n_particles=7, n_counted=5, truth={**truth, "n_distinct": 3.0}), None)
    assert "false       2 of the 5 whole ones match no true particle" in capsys.readouterr().out


def test_particles_found_are_counted_by_name(store):
    figures, (size,) = single_particles(store)
    assert (size["n_true"], size["n_found"]) == (3, 2), "one was counted twice, and is one particle"
    assert size["found_nm"] == pytest.approx((10 + 20 + 14) / 3) and figures["counted_once_fraction"] == 0.5
