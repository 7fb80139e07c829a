"""Models in a run: trained from marks in a store, used by every frame, known to the journal by what is in them."""

import json

import nanospa as ns
import numpy as np
import pytest
from nanospa import errors
from nanospa.io.store import Store
from nanospa.pipeline.trained_model import load_model
from numpy.testing import assert_array_equal


def run(settings, store, **options):
    return ns.pipeline.run(settings, store, scheduler="sync", **options)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A store with frames, and a model of each kind."""
    folder = tmp_path_factory.mktemp("taught")
    simulated = {"n_frames": 3, "shape": (192, 192), "n_particles": 6, "pixel_size_nm": 0.8, "seed": 5}
    store = folder / "run.zarr"
    run({"simulate": simulated}, store, stages=["input"])
    truth = ns.open(store)["frames/stack_000/labels/truth/image"].values
    scribbles = np.where(truth[0] > 0, 2, 1)
    forest = ns.pipeline.train(store, folder / "forest.npz", scribbles={0: scribbles})
    rescorer = ns.pipeline.train(store, folder / "model.json", marks={0: truth[0], 1: boxes(truth[1])})
    return store, folder, truth, forest, rescorer


def boxes(labels):
    found = [np.nonzero(labels == label) for label in range(1, labels.max() + 1)]
    return np.array([[y.min(), x.min(), y.max() + 1, x.max() + 1] for y, x in found if y.size], float)


def trained(file):
    return {"segment": {"method": "trained", "model_file": str(file), "min_area_px": 30}}


@pytest.mark.parametrize(("file", "which"), [("forest.npz", 3), ("model.json", 4)])
def test_every_frame_is_segmented_with_the_model(taught, file, which):
    store, folder, truth, model = taught[0], taught[1], taught[2], taught[which]
    summary = run(trained(folder / file), store, stages=["segment"])
    assert summary.exit_code == 0 and summary.n_done["segment"] == 3, summary.failed
    images = ns.open(store)["frames/stack_000/image"].values
    found = ns.open(store)["frames/stack_000/labels/particles/image"].values
    for image, labels in zip(images, found, strict=True):
        alone = model.segment(image, min_area_px=30)
        assert_array_equal(labels, getattr(alone, "labels", alone))
    # Frame 2 was not learnt from.
    overlap = ((found[2] > 0) & (truth[2] > 0)).sum() / ((found[2] > 0) | (truth[2] > 0)).sum()
    assert overlap > 0.6
    saved = Store.open(store).attributes["settings"]["segment"]
    assert saved["model_file"] == str((folder / file).resolve())


def test_the_journal_knows_the_content_not_the_place(taught, tmp_path):
    store, folder = taught[:2]
    run(trained(folder / "forest.npz"), store, stages=["segment"])
    moved = tmp_path / "moved.npz"
    moved.write_bytes((folder / "forest.npz").read_bytes())
    assert run(trained(moved), store, stages=["segment"]).n_skipped["segment"] == 3
    moved.write_bytes((folder / "model.json").read_bytes())
    assert run(None, store, stages=["segment"]).n_done["segment"] == 3
    moved.unlink()
    with pytest.raises(errors.SettingsError, match=r"segment\.model_file: expected a file with a trained model"):
        run(None, store, stages=["segment"])
    # Other methods leave the file alone.
    automatic = {"segment": {"method": "auto", "model_file": str(moved)}}
    assert run(automatic, store, stages=["segment"]).n_done["segment"] == 3


def test_corrected_labels_teach(taught, tmp_path):
    store, _, truth = taught[:3]
    with pytest.raises(errors.EmptyInputError, match="corrected by hand"):
        ns.pipeline.train(store, tmp_path / "m.json")
    copy = tmp_path / "run.zarr"
    run({"simulate": Store.open(store).attributes["settings"]["simulate"]}, copy, stages=["input"])
    for row in (0, 1):
        ns.pipeline.correct(copy, row, truth[row])
    from_store = ns.pipeline.train(copy, tmp_path / "m.json")
    given = ns.pipeline.train(copy, tmp_path / "n.json", marks={0: truth[0], 1: truth[1]})
    assert isinstance(from_store, ns.segment.Rescorer)
    assert (tmp_path / "m.json").read_text() == (tmp_path / "n.json").read_text() and from_store.cut == given.cut


@pytest.mark.parametrize(
    "content",
    [b"mine", b"", b"PK\3\4 torn", b"[1, 2]", json.dumps({"format": "nanospa rescorer 1"}).encode()],
)
def test_files_of_another_kind(tmp_path, content):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(errors.SettingsError, match=r"segment\.model_file: expected a saved Rescorer or PixelClassifier, found"):
        load_model(path)


def test_what_cannot_be_trained(taught, tmp_path):
    store, _, truth = taught[:3]
    marks = np.ones((192, 192), int)
    with pytest.raises(errors.SettingsError, match=r"segment\.model_file: expected the file"):
        run({"segment": {"method": "trained"}}, store, stages=["segment"])
    for options, message in [
        ({"marks": {7: truth[0]}}, "frame: expected a row 0 … 2"),
        ({"marks": {0: truth[0][:50]}}, "marks: expected a label image of shape"),
        ({"scribbles": {0: marks}}, "expected pixels marked 2"),
        ({"scribbles": {0: marks, 1: marks}}, "expected those of one frame"),
        ({"scribbles": {0: marks}, "marks": {0: truth[0]}}, "found both"),
    ]:
        with pytest.raises(errors.NanospaError, match=message):
            ns.pipeline.train(store, tmp_path / "m.json", **options)
    assert not list(tmp_path.iterdir())


def test_a_constant_frame_and_the_stage_settings(taught, tmp_path):
    folder = taught[1]
    frames = np.full((1, 64, 64), 7, np.uint16)
    summary = run({**trained(folder / "model.json"), "measure": {"particle_images": False}}, tmp_path / "run.zarr", images=frames)
    assert summary.n_particles == 0 and any("all pixels are 7" in text for text in summary.warnings)
    assert ns.pipeline.Settings(segment=ns.segment.PRESETS["slater2020"]).segment.background == "tophat"
