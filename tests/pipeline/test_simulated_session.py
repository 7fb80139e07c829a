"""A small session on the simulated microscope, whole and interrupted: killed processes, Ctrl-C, a disk that is full."""

import json
import os
import signal
import subprocess
import sys
import time

import nanospa as ns
import numpy as np
import pytest
import yaml
from nanospa import pipeline
from nanospa.io.store import Store
from nanospa.pipeline.event_journal import EventJournal
from numpy.testing import assert_array_equal

from tests.pipeline.conftest import CLUSTER, contents

PLAN = {
    "stage_x_um": (0, 0.25),
    "stage_y_um": (0, 0),
    "survey_field_nm": 330,
    "survey_shape": (256, 256),
    "survey_overlap": 0.3,
    "tiles": 2,
    "image_shape": (256, 256),
    "focus_shape": (128, 128),
    "focus_samples": 5,
}
SETTINGS = {"acquire": {**PLAN, "options": {"specimen": "slater2020", "seed": 0}}}
#: A process that acquires and kills itself: after an event, or with a frame on disk and its event not.
KILLED = """
import os, signal, sys, json
from nanospa import pipeline
from nanospa.pipeline.event_journal import EventJournal
settings, store, number, where = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
append = EventJournal.append
def dying(self, event):
    if where == "before" and event.number == number:
        die()
    append(self, event)
    if event.number == number:
        die()
EventJournal.append = dying
pipeline.acquire(settings, store, scheduler="sync", analyse=False)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Store and summary of the uninterrupted session."""
    path = tmp_path_factory.mktemp("session") / "run.zarr"
    return path, pipeline.acquire({**SETTINGS, "cluster": CLUSTER}, path, scheduler="sync")


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The same without analysis."""
    path = tmp_path_factory.mktemp("session") / "raw.zarr"
    pipeline.acquire(SETTINGS, path, scheduler="sync", analyse=False)
    return path


def test_what_the_microscope_gave_is_in_the_store(whole):
    path, summary = whole
    taken = []
    events = list(
        ns.acquire.acquire(
            ns.acquire.connect("simulated", **SETTINGS["acquire"]["options"]),
            PLAN,
            find_particles=lambda image, size: ns.segment.segment(image),
            on_frame=lambda frame, event: taken.append((event.kind, frame)),
        )
    )
    kept = EventJournal(Store.open(path)).events
    assert [json.dumps(e.as_dict()) for e in kept] == [json.dumps(e.as_dict()) for e in events]
    tree = ns.open(path)
    for kind, group in (("image", "frames"), ("survey", "surveys")):
        images = np.stack([frame.data for each, frame in taken if each == kind])
        assert_array_equal(tree[f"{group}/stack_000/image"], images)
    assert summary.acquisition["n_images"] == summary.n_frames >= 5 and summary.acquisition["n_surveys"] == 2


def test_each_particle_is_imaged_and_counted_once(whole):
    path, summary = whole
    assert summary.truth["imaged_fraction"] >= 0.9
    assert summary.truth["found_fraction"] >= 0.9
    assert summary.truth["counted_once_fraction"] == 1
    particles = ns.open(path)["particles"].to_dataset()
    assert particles["duplicate"].values.sum() >= 5, "tiles and surveys overlap"
    for size in summary.sizes:
        assert size["found_nm"] == pytest.approx(size["true_nm"], rel=0.15)


@pytest.mark.parametrize(("number", "where"), [(6, "before"), (8, "after"), (17, "after")])
def test_killed_and_resumed(raw, tmp_path, number, where):
    path = tmp_path / "run.zarr"
    arguments = [sys.executable, "-c", KILLED, json.dumps(SETTINGS), str(path), str(number), where]
    assert subprocess.run(arguments, check=False, timeout=120).returncode == -signal.SIGKILL
    assert len(EventJournal(Store.open(path)).events) == number + (where == "after")
    assert pipeline.acquire(None, path, scheduler="sync", analyse=False).acquisition["state"] == "ended"
    assert contents(path) == contents(raw)


def command(settings, *arguments):
    return [sys.executable, "-m", "nanospa", "acquire", str(settings), "--store", "run.zarr", "--scheduler", "local:1", *arguments]


@pytest.fixture
def settings_file(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps({**SETTINGS, "cluster": CLUSTER}))))
    return path


def test_ctrl_c_pauses_and_the_same_command_goes_on(whole, settings_file, tmp_path):
    # A group of its own, as a terminal has it: Ctrl-C reaches the workers too.
    running = subprocess.Popen(
        command(settings_file), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        record = tmp_path / "run.zarr/records/acquire/c/6"
        until = time.monotonic() + 120
        while not record.exists() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=120)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 3, err
    assert "session     paused (interrupted)" in out and "go on with   nanospa acquire --store run.zarr" in out
    assert "pausing after the image in flight" in err and "Traceback" not in err
    assert ns.open(tmp_path / "run.zarr").attrs["nanospa"]["acquisition"] == {"state": "paused", "reason": "interrupted"}
    assert ns.open(tmp_path / "run.zarr")["acquisition"].attrs["nanospa"]["state"] == "paused"
    done = subprocess.run(command(settings_file, "--no-report"), cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "session     ended" in done.stdout, done.stderr
    assert contents(tmp_path / "run.zarr") == contents(whole[0])


def test_a_disk_that_is_full(raw, settings_file, tmp_path):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); from nanospa.cli import main; main({})"
    arguments = ["acquire", str(settings_file), "--store", "run.zarr", "--scheduler", "sync", "--no-analysis", "--no-report"]
    failed = subprocess.run(
        [sys.executable, "-c", limited.format(arguments)], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert failed.returncode in (1, 2) and "File too large" in failed.stderr and "Traceback" not in failed.stderr
    assert pipeline.acquire(None, tmp_path / "run.zarr", scheduler="sync", analyse=False).acquisition["state"] == "ended"
    assert contents(tmp_path / "run.zarr") == contents(raw)
