"""An acquisition in the store: frames, events, tables; interrupted at every event; refusals; faults of the disk."""

import threading
import time

import nanospa as ns
import numpy as np
import pytest
from nanospa import errors, pipeline
from nanospa.io.store import Store
from nanospa.pipeline import event_journal
from nanospa.pipeline.event_journal import EventJournal
from nanospa.pipeline.session_lock import abort_requested, session_lock
from numpy.testing import assert_array_equal

from tests.pipeline import stand_in
from tests.pipeline.conftest import CLUSTER, SEGMENT, snapshot

SETTINGS = {"acquire": {"microscope": "stand-in", "find": None}, "segment": SEGMENT, "cluster": CLUSTER}
N_EVENTS = len(list(stand_in.session()))
N_IMAGES = stand_in.N_SURVEYS * stand_in.N_IMAGES


@pytest.fixture(autouse=True)
def acquire_of_stand_in(monkeypatch):
    monkeypatch.setattr(ns.acquire, "acquire", stand_in.acquire, raising=False)


def acquire(path, settings=SETTINGS, *, microscope=None, scheduler="sync", **options):
    return pipeline.acquire(settings, path, microscope=microscope or stand_in.StandIn(), scheduler=scheduler, **options)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Stores of an uninterrupted session: analysed, and not."""
    paths = {analyse: tmp_path_factory.mktemp("whole") / "run.zarr" for analyse in (True, False)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ns.acquire, "acquire", stand_in.acquire, raising=False)
        for analyse, path in paths.items():
            acquire(path, analyse=analyse)
    return paths


@pytest.fixture
def whole(stores):
    return stores[True]


@pytest.fixture
def raw(stores):
    return stores[False]


class Killed(BaseException):
    """Stands for a process that is gone."""


def test_frames_events_and_tables(tmp_path):
    microscope, seen, told = stand_in.StandIn(), [], []
    summary = acquire(
        tmp_path / "run.zarr", microscope=microscope, on_event=lambda e, p: seen.append(e.number), progress=lambda *each: told.append(each)
    )
    assert summary.exit_code == 0 and summary.n_frames == N_IMAGES and summary.n_clusters == 2
    assert summary.acquisition["state"] == "ended" and summary.acquisition["reason"] == "done"
    assert (summary.acquisition["n_surveys"], summary.acquisition["n_images"]) == (2, N_IMAGES)
    assert summary.acquisition["seconds_an_image"] == pytest.approx(10 * N_EVENTS / N_IMAGES)
    assert seen == list(range(N_EVENTS)) and ("acquire", N_IMAGES, N_IMAGES, 0) in told
    assert not microscope.closed, "whoever connects it closes it"
    tree = ns.open(tmp_path / "run.zarr")
    table = tree["frame_table"].to_dataset()
    assert table["source"].values.tolist() == [f"acquired/{i}" for i in range(N_IMAGES)]
    assert table["stage_y_um"].values.tolist() == pytest.approx([0.025 * i for i in range(N_IMAGES)])
    assert table["survey"].values.tolist() == [0, 0, 0, 1, 1, 1] and table["tile"].values.tolist() == [0, 1, 2, 0, 1, 2]
    assert table["defocus_nm"].attrs["units"] == "nm" and set(table["electrons_per_nm2"].values) == {100.0}
    numbers = [1, 2, 3, 5, 6, 7]
    for row, number in enumerate(numbers):
        made = ns.simulate.frame(index=number, settings=stand_in.SETTINGS)
        assert_array_equal(tree["frames/stack_000/image"][row], made.image)
        assert_array_equal(tree["frames/stack_000/labels/truth/image"][row], made.labels)
    assert tree["frames/stack_000/image"].shape[0] == N_IMAGES and tree["surveys/stack_000/image"].shape[0] == 2
    assert_array_equal(tree["surveys/stack_000/image"][1], ns.simulate.frame(index=4, settings=stand_in.SETTINGS).image)
    assert tree["acquisition"]["kind"].values.tolist() == [kind for kind, _ in stand_in.session()]
    assert tree["survey_table/index"].values.tolist() == [0, 1] and tree["tiles/state"].values.tolist().count("imaged") == N_IMAGES
    assert tree["focus_curves"].sizes["sample"] == 6
    truth = tree["truth"].to_dataset()
    assert truth["id"].dtype == np.int64 and summary.truth["found_fraction"] > 0
    assert summary.truth["counted_once_fraction"] == 1 and summary.truth["imaged_fraction"] == 0, "no survey shows what an image does"
    assert {each["population"] for each in summary.sizes} == set(truth["population"].values)


SKIPPED = ("skip", {"what": "position", "position": 0, "reason": "no survey image"})
FOCUS = ("skip", {"what": "focus", "position": 0, "reason": "dose"})


@pytest.mark.parametrize(
    ("between", "reason", "code", "said"),
    [
        ([SKIPPED], "done", 3, "no image was taken: 1 of 2 positions and 0 tiles or particles were left out (1 × no survey image)"),
        ([FOCUS], "done", 0, "no image was taken: the surveys show nothing to take one of"),
        ([], "time", 0, "no image was taken: the session ended (time) before the first one"),
        ([SKIPPED], "aborted", 0, ""),
    ],
)
def test_a_session_without_an_image(tmp_path, monkeypatch, between, reason, code, said):
    """Where things were left out, the exit code says so; where there was nothing to image, a warning does."""
    start = next(iter(stand_in.session()))
    monkeypatch.setattr(stand_in, "session", lambda: [start, *between, ("end", {"reason": reason})])
    for _ in range(2):
        summary = acquire(tmp_path / "run.zarr")
        assert summary.exit_code == code
        assert [f.message for f in summary.failed] == ([said] if code else [])
        assert list(summary.warnings) == ([said] if said and not code else [])


def test_surveys_are_valid_images(whole):
    import zarr
    from ome_zarr_models.v05 import Image

    Image.from_zarr(zarr.open_group(whole / "surveys/stack_000", mode="r"))


def test_again_only_looks(whole):
    before = snapshot(whole)
    microscope = stand_in.StandIn()
    summary = acquire(whole, microscope=microscope)
    assert not microscope.taken and not any(summary.n_done.values()) and summary.n_skipped["acquire"] == N_IMAGES
    assert snapshot(whole) == before
    assert acquire(whole, None).n_frames == N_IMAGES, "the settings of the store"


@pytest.mark.parametrize("stop", [0, 2, 4, 9, N_EVENTS - 1])
def test_killed_after_an_event_and_resumed(tmp_path, stores, stop):
    analyse = stop in (4, 9)

    def kill(event, progress):
        if event.number == stop:
            raise Killed

    with pytest.raises(Killed):
        acquire(tmp_path / "run.zarr", on_event=kill, analyse=analyse)
    microscope = stand_in.StandIn()
    summary = acquire(tmp_path / "run.zarr", microscope=microscope, analyse=analyse)
    assert summary.exit_code == 0
    assert len(microscope.taken) == sum(kind in ("survey", "image") for kind, _ in list(stand_in.session())[stop + 1 :])
    assert snapshot(tmp_path / "run.zarr") == snapshot(stores[analyse])


@pytest.mark.parametrize("what", ["made", 1, 2, 7, 8])
def test_killed_while_the_journal_grows_or_shrinks(tmp_path, raw, what, monkeypatch):
    """At the first array of the events, or after the n-th time one of them has got another length: thrice longer, then shorter."""
    import zarr

    n_resized = []

    def resize(self, *arguments, original=zarr.Array.resize, **options):
        original(self, *arguments, **options)
        if self.path.endswith("/acquire"):
            n_resized.append(self.path)
            if len(n_resized) == what:
                raise Killed

    def create_array(self, name, *arguments, original=zarr.Group.create_array, **options):
        made = original(self, name, *arguments, **options)
        if what == "made" and name == "acquire":
            raise Killed
        return made

    monkeypatch.setattr(event_journal, "BLOCK", 4)
    path = tmp_path / "run.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "resize", resize)
        patch.setattr(zarr.Group, "create_array", create_array)
        with pytest.raises(Killed):
            acquire(path, analyse=False)
    acquire(path, analyse=False)
    assert snapshot(path) == snapshot(raw)


def test_a_journal_left_shorter_than_its_records_or_longer(tmp_path):
    """As a process killed while it grew or shrank leaves it; stores of older versions have it the other way round."""
    path = tmp_path / "run.zarr"
    seen = []
    acquire(path, on_event=lambda e, p: seen.append(e), stop=lambda: len(seen) == 6, analyse=False)
    root = Store.open(path, writable=True).root
    root["records/input"].resize((50,))
    root["journal/acquire"].resize((50,))
    assert pipeline.run(None, path, scheduler="sync", stages=["input"]).n_frames == 2
    assert acquire(path, analyse=False).n_frames == N_IMAGES


@pytest.mark.parametrize("where", ["frame", "journal"])
def test_killed_between_a_frame_and_its_event(tmp_path, raw, where, monkeypatch):
    """The frame in flight is taken again; nothing before it is."""
    written = []
    original = EventJournal.append

    def append(self, event):
        if event.values.get("image") == 2 and not written:
            written.append(event)
            raise Killed
        original(self, event)

    monkeypatch.setattr(EventJournal, "append", append)
    with pytest.raises(Killed):
        acquire(tmp_path / "run.zarr", analyse=False)
    if where == "frame":
        # As if it had been killed while it wrote the pixels.
        Store.open(tmp_path / "run.zarr", writable=True).journal.clear("input", 2)
    microscope = stand_in.StandIn()
    acquire(tmp_path / "run.zarr", microscope=microscope, analyse=False)
    assert microscope.taken == [3, 4, 5, 6, 7]
    assert snapshot(tmp_path / "run.zarr") == snapshot(raw)


def test_a_killed_session_can_be_read_and_analysed(tmp_path):
    def kill(event, progress):
        if event.values.get("image") == 2:
            raise Killed

    with pytest.raises(Killed):
        acquire(tmp_path / "run.zarr", on_event=kill)
    summary = pipeline.run({"segment": SEGMENT, "cluster": CLUSTER}, tmp_path / "run.zarr", scheduler="sync")
    assert summary.n_frames == 3 and summary.n_particles > 3
    assert ns.open(tmp_path / "run.zarr").attrs["nanospa"]["settings"]["acquire"]["microscope"] == "stand-in"
    assert acquire(tmp_path / "run.zarr").n_frames == N_IMAGES


def test_info_of_a_killed_session(tmp_path, capsys):
    """It tells what was taken, not what there is room for; and that nobody goes on with it."""
    from nanospa.cli.inspect import info

    def kill(event, progress):
        if event.values.get("image") == 2:
            raise Killed
        if event.kind == "start":
            info(tmp_path / "run.zarr")
            assert "acquisition: running, 0 images of 0 surveys" in capsys.readouterr().out

    with pytest.raises(Killed):
        acquire(tmp_path / "run.zarr", on_event=kill)
    info(tmp_path / "run.zarr")
    out = capsys.readouterr().out
    assert "acquisition: interrupted, 3 images of 1 survey\n" in out
    assert "stack_000: 3 frames" in out and "acquire 7/7, input 3/3, segment 2/3, survey 1/1" in out


def test_pause_and_go_on(tmp_path, whole):
    seen = []
    summary = acquire(tmp_path / "run.zarr", on_event=lambda e, p: seen.append(e), stop=lambda: len(seen) == 6)
    assert summary.acquisition["state"] == "paused" and summary.acquisition["reason"] == "interrupted"
    assert summary.n_frames == 2 and summary.n_particles == 0, "what is there is not analysed to the end"
    tree = ns.open(tmp_path / "run.zarr")
    assert tree["acquisition"].sizes["event"] == 6 and tree["frames/stack_000/image"].shape[0] == 2
    assert acquire(tmp_path / "run.zarr").acquisition["state"] == "ended"
    assert snapshot(tmp_path / "run.zarr") == snapshot(whole)


def test_abort_ends_it(tmp_path, monkeypatch):
    microscope = stand_in.StandIn()
    monkeypatch.setattr(ns.acquire, "connect", lambda name, **options: microscope, raising=False)
    seen = []
    path = tmp_path / "run.zarr"
    acquire(path, on_event=lambda e, p: seen.append(e), stop=lambda: len(seen) == 6)
    assert pipeline.abort(path) == "the session is ended" and microscope.aborted and microscope.closed
    assert ns.open(path)["acquisition/kind"].values[-1] == "end"
    assert pipeline.abort(path) == "the session was over already"
    summary = acquire(path, microscope=microscope)
    assert not microscope.taken and summary.n_frames == 2 and summary.acquisition["reason"] == "aborted" and summary.n_particles > 2
    with pytest.raises(errors.StoreError, match="no such store"):
        pipeline.abort(tmp_path / "absent.zarr")


def test_another_process_disturbs_no_running_session(tmp_path, monkeypatch):
    """Neither what it is writing nor its microscope; asking it to end does end it."""
    path, connected = tmp_path / "run.zarr", []
    monkeypatch.setattr(ns.acquire, "connect", lambda *_, **__: connected.append(1), raising=False)

    def intrude(event, progress):
        if event.number == 5:
            (path / ".new-acquisition").mkdir()
            for attempt in (
                lambda: pipeline.acquire(None, path, scheduler="sync"),
                lambda: pipeline.run(None, path, scheduler="sync"),
                lambda: pipeline.correct(path, 0, np.zeros((96, 96), int)),
            ):
                with pytest.raises(errors.StoreError, match="another process acquires into this store"):
                    attempt()
            with pytest.raises(errors.StoreError, match="will after the image in flight"):
                pipeline.abort(path, timeout_s=0)
            assert (path / ".new-acquisition").exists() and not connected

    summary = acquire(path, on_event=intrude)
    assert summary.acquisition["reason"] == "aborted" and summary.n_frames == 2
    assert not list(tmp_path.glob("*.abort"))


def test_abort_does_not_wait_for_the_analysis(tmp_path):
    path, acquiring, asked = tmp_path / "run.zarr", threading.Event(), threading.Event()

    def wait(event, progress):
        if event.number == 5:
            acquiring.set()
            until = time.monotonic() + 20
            while not abort_requested(path) and time.monotonic() < until:
                time.sleep(0.01)

    def analyse(stage, *_):
        if stage == "measure":
            assert asked.wait(20)

    found = []
    running = threading.Thread(target=lambda: found.append(acquire(path, on_event=wait, progress=analyse)))
    running.start()
    try:
        assert acquiring.wait(20)
        assert pipeline.abort(path, timeout_s=10) == "the running session has ended"
        assert running.is_alive(), "it is held in the analysis"
    finally:
        asked.set()
        running.join()
    assert found[0].acquisition["reason"] == "aborted"


def test_abort_with_options_the_driver_refuses(tmp_path, monkeypatch):
    def refuse(name, **options):
        raise errors.SettingsError("seed: expected a whole number, found 'x'")

    monkeypatch.setattr(ns.acquire, "connect", refuse, raising=False)
    seen = []
    acquire(tmp_path / "run.zarr", on_event=lambda e, p: seen.append(e), stop=lambda: len(seen) == 2, analyse=False)
    assert "is ended; the microscope was not reached (seed: expected" in pipeline.abort(tmp_path / "run.zarr")


def test_one_session_at_a_time(tmp_path, whole):
    with session_lock(whole), pytest.raises(errors.StoreError, match="another process acquires into this store"):
        acquire(whole)


@pytest.mark.parametrize("change", [{"max_images": 5}, {"options": {"seed": 1}}, {"microscope": "other"}])
def test_another_session_is_refused(whole, change):
    before = snapshot(whole)
    (name,) = change
    with pytest.raises(errors.StoreError, match=f"session with other settings: acquire.{name} "):
        acquire(whole, {**SETTINGS, "acquire": {**SETTINGS["acquire"], **change}})
    assert snapshot(whole) == before


def test_other_frames_are_refused(tmp_path, settings, whole):
    pipeline.run(settings, tmp_path / "run.zarr", scheduler="sync", stages=["input"])
    with pytest.raises(errors.StoreError, match="4 frames that were not acquired"):
        acquire(tmp_path / "run.zarr")
    with pytest.raises(errors.StoreError, match="would mix"):
        pipeline.run(settings, whole, scheduler="sync")


def test_changed_segmentation_on_resume(tmp_path):
    seen = []
    acquire(tmp_path / "run.zarr", on_event=lambda e, p: seen.append(e), stop=lambda: len(seen) == 6)
    other = {**SETTINGS, "segment": {**SEGMENT, "min_area_px": 80}}
    acquire(tmp_path / "run.zarr", other)
    acquire(tmp_path / "fresh.zarr", other)
    assert snapshot(tmp_path / "run.zarr") == snapshot(tmp_path / "fresh.zarr")


@pytest.mark.parametrize("what", ["image", "event"])
def test_a_full_disk_ends_it_with_everything_kept(tmp_path, raw, monkeypatch, what):
    full = []

    def fail(original):
        def write(self, *arguments, **options):
            if full:
                raise OSError(28, "No space left on device")
            return original(self, *arguments, **options)

        return write

    import zarr

    with monkeypatch.context() as patch:
        patch.setattr(zarr.storage.LocalStore, "set", fail(zarr.storage.LocalStore.set))

        def fill(event, progress):
            if event.values.get("image" if what == "image" else "position") == 1:
                full.append(True)

        with pytest.raises(OSError, match="No space left"):
            acquire(tmp_path / "run.zarr", on_event=fill, analyse=False)
    acquire(tmp_path / "run.zarr", analyse=False)
    assert snapshot(tmp_path / "run.zarr") == snapshot(raw)


def test_a_microscope_that_fails_for_good(tmp_path, monkeypatch):
    def failing(*arguments, **options):
        for event in stand_in.acquire(*arguments, **options):
            if event.values.get("image") == 3:
                raise errors.StageError("stage: stuck")
            yield event

    with monkeypatch.context() as patch:
        patch.setattr(ns.acquire, "acquire", failing)
        with pytest.raises(errors.StageError, match="stuck"):
            acquire(tmp_path / "run.zarr")
    store = Store.open(tmp_path / "run.zarr")
    assert store.attributes["acquisition"] == {"state": "failed", "reason": "stage: stuck"}
    assert store.read_table("frame_table").sizes["frame"] == 3, "tables are written all the same"
    assert acquire(tmp_path / "run.zarr").acquisition["state"] == "ended"


@pytest.mark.parametrize("analyse", [True, False])
def test_a_plan_refused_before_the_first_event(tmp_path, monkeypatch, analyse):
    def refusing(*arguments, **options):
        raise errors.StageLimitError("stage_x_um: expected -1 ... 1 um, found 2")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(ns.acquire, "acquire", refusing)
        with pytest.raises(errors.StageLimitError, match="found 2"):
            acquire(tmp_path / "run.zarr", analyse=analyse)
    assert Store.open(tmp_path / "run.zarr").attributes["acquisition"]["state"] == "failed"
    assert acquire(tmp_path / "run.zarr", {"acquire": {"microscope": "other"}}, analyse=False).n_frames == N_IMAGES, "it binds nobody"


def test_workers_that_are_lost_do_not_end_the_session(tmp_path, monkeypatch):
    from nanospa.pipeline.distribute import Workers

    def lost(self, task, items, window=1):
        yield 0, task(*next(iter(items)))
        raise errors.SchedulerError("scheduler: gone")

    with monkeypatch.context() as patch:
        patch.setattr(Workers, "run", lost)
        with pytest.raises(errors.SchedulerError):
            acquire(tmp_path / "run.zarr")
    assert len(EventJournal(Store.open(tmp_path / "run.zarr")).events) == N_EVENTS
