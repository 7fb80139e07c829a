"""How many images a session is going to have, from its events."""

import pytest
from nanospa.acquire import Event
from nanospa.pipeline import AcquisitionProgress


def seen(*events):
    progress, expected = AcquisitionProgress(), []
    for number, (kind, values) in enumerate(events):
        progress.see(Event(number, kind, values, {}))
        expected.append(progress.n_expected)
    return expected


def survey(position, what, n_selected, n_other=1):
    return "survey", {"position": position, what: [{"selected": True}] * n_selected + [{"selected": False}] * n_other}


START = {"n_positions": 2}
IMAGE = ("image", {})


def test_tiles():
    start = ("start", {**START, "plan": {"target": "tiles", "tiles": 2}})
    assert seen(start, survey(0, "tiles", 3), IMAGE, ("skip", {"what": "tile"}), IMAGE) == [8, 6, 6, 4, 4]
    assert seen(start, ("skip", {"what": "position", "position": 0}), survey(1, "tiles", 1), IMAGE) == [8, 4, 1, 1]


@pytest.mark.parametrize(("most", "expected"), [(None, [2, 6, 4, 4, 4]), (2, [4, 4, 4, 4, 4])])
def test_particles(most, expected):
    start = ("start", {**START, "plan": {"target": "particles", "tiles": 1, "particles_per_survey": most}})
    found = seen(start, survey(0, "particles", 3), ("skip", {"what": "particle", "particle": 2}), IMAGE, IMAGE)
    assert found == expected


def test_a_focus_that_is_left_out_costs_no_image():
    start = ("start", {**START, "plan": {"target": "tiles", "tiles": 2}})
    assert seen(start, survey(0, "tiles", 3), ("skip", {"what": "focus", "image": None})) == [8, 6, 6]
