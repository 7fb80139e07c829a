"""The command line: results, JSON, exit codes, one clear line instead of a traceback."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from nanospa import io
from nanospa.cli import main
from nanospa.io.store import Store

from tests.pipeline.conftest import CLUSTER, SEGMENT, SIMULATE, snapshot

SETTINGS = {"simulate": SIMULATE, "segment": SEGMENT, "cluster": CLUSTER}


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder; gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(a) for a in arguments])
        text = capsys.readouterr()
        return end.value.code or 0, text.out, text.err

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished store, to look at only."""
    import nanospa as ns

    path = tmp_path_factory.mktemp("finished") / "run.zarr"
    ns.pipeline.run(SETTINGS, path, scheduler="sync")
    return path


@pytest.fixture(scope="module")
def frames():
    from nanospa import simulate

    return list(simulate.frames(settings=simulate.SimulateSettings(**SIMULATE)))


@pytest.fixture
def settings_file(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(SETTINGS))))
    return path


def test_run_then_each_stage_alone(call, settings_file, tmp_path):
    code, out, err = call("run", settings_file, "--scheduler", "sync")
    assert code == 0, err
    assert "frames      4" in out and "truth: " in out and "found " in out and "store       run.zarr" in out
    page = tmp_path / "run_report.html"
    assert page.stat().st_size > 10_000 and "report      run_report.html" in out
    code, out, _ = call("run", "--scheduler", "sync", "--json", "--no-report")
    document = json.loads(out)
    assert code == 0 and document["n_done"]["segment"] == 0 and document["n_frames"] == 4, "the store's own settings hold"
    for command, setting, stage in [
        ("segment", "segment.min_area_px=60", "segment"),
        ("measure", "measure.radial_bins=4", "measure"),
        ("cluster", "cluster.seed=3", "cluster"),
    ]:
        options = [] if command == "cluster" else ["--scheduler", "sync"]
        code, out, err = call(command, "run.zarr", "--set", setting, "--json", *options)
        document = json.loads(out)
        assert code == 0 and document["n_done"][stage] in (1, 4), err
    code, out, _ = call("report", "run.zarr", "-o", "other.html", "--figures", "figures")
    assert code == 0 and (tmp_path / "other.html").exists() and list((tmp_path / "figures").glob("*.png"))


def test_images_preset_and_pixel_size(call, frames, tmp_path):
    (tmp_path / "images").mkdir()
    for i, frame in enumerate(frames[:2]):
        np.save(tmp_path / "images" / f"frame{i}.npy", frame.image)
    common = ["--images", "images/*.npy", "--scheduler", "sync", "--no-report", "--json"]
    code, out, err = call("run", *common, "--preset", "slater2020", "--set", "segment.background_size_px=61", "--pixel-size-nm", "0.4")
    assert code == 0, err
    document = json.loads(out)
    assert document["n_frames"] == 2 and not document["truth"]
    store = Store.open(tmp_path / "run.zarr")
    kept = store.attributes["settings"]
    assert kept["segment"]["threshold"] == "li" and kept["segment"]["background_size_px"] == 61
    assert kept["input"] == {"images": ["images/*.npy"], "pixel_size_nm": 0.4, "detector": ""} and kept["simulate"] is None
    assert "area_nm2" in store.read_table("particles")


def test_info_and_doctor(call, finished):
    code, out, _ = call("info", finished)
    assert code == 0 and "4 frames 192 × 192 uint16" in out and "segment 4/4" in out
    _, out, _ = call("info", finished, "--json")
    document = json.loads(out)
    assert document["stages"]["measure"] == {"done": 4, "items": 4} and document["settings"]["segment"]["threshold"] == "otsu"
    assert call("doctor", finished)[0] == 0
    code, out, _ = call("doctor", "--json")
    assert code == 0 and json.loads(out)["nanospa"]


def test_doctor_finds_and_repairs(call, settings_file, tmp_path):
    call("run", settings_file, "--scheduler", "sync", "--no-report", "-q")
    before = snapshot(tmp_path / "run.zarr")
    shard = next(p for p in (tmp_path / "run.zarr/frames/stack_000/labels/particles/image/c/1").rglob("*") if p.is_file())
    shard.write_bytes(b"torn")
    code, out, err = call("doctor", "run.zarr")
    assert code == 3 and "1 damaged" in out and "frame 1 of" in err
    assert call("doctor", "run.zarr", "--repair")[0] == 3
    code, out, _ = call("run", "--scheduler", "sync", "--no-report", "--json")
    assert code == 0 and json.loads(out)["n_done"]["segment"] == 1
    one_place = ["--set", "acquire.stage_x_um=[0, 0]", "--set", "acquire.stage_y_um=[0, 0]", "--set", "acquire.focus_every=1"]
    samples = [
        json.loads(call("acquire", "--store", "absent.zarr", "--dry-run", "--json", *one_place, *small(focus_samples=n))[1])["scan_s"]
        for n in (5, 10)
    ]
    none = json.loads(
        call("acquire", "--store", "absent.zarr", "--dry-run", "--json", *one_place, *small(), "--set", "acquire.focus_every=0")[1]
    )["scan_s"]
    assert (samples[0] - none) / (samples[1] - none) == pytest.approx(7 / 12), "a series has an image before and one after it"
    assert call("doctor", "run.zarr")[0] == 0
    assert snapshot(tmp_path / "run.zarr") == before


def test_convert(call, finished, tmp_path):
    io.write(np.arange(12, dtype=np.uint16).reshape(3, 4), tmp_path / "a.tif", pixel_size_nm=0.5)
    assert call("convert", "a.tif", "a.mrc")[0] == 0
    assert io.read(tmp_path / "a.mrc").attrs["pixel_size_nm"] == pytest.approx(0.5)
    particles = Store.open(finished).read_table("particles")
    for target in ("p.csv", "p.parquet", "p.json", "p.zip", "t.csv"):
        code, out, err = call("convert", finished, target, *(["--table", "truth"] if target == "t.csv" else []))
        assert code == 0 and f"written     {target}" in out, err
    assert len(pd.read_csv(tmp_path / "p.csv")) == len(pd.read_parquet(tmp_path / "p.parquet")) == particles.sizes["particle"]
    document = json.loads((tmp_path / "p.json").read_text())
    assert len(document["annotations"]) == particles.sizes["particle"] and len(document["images"]) == 4
    for row, annotation in enumerate(document["annotations"]):
        assert annotation["image_id"] == particles["frame"].values[row] + 1
        x, y, width, height = annotation["bbox"]
        box = [particles[f"bbox_{n}_px"].values[row] for n in ("x0", "y0", "x1", "y1")]
        assert [x, y, x + width, y + height] == box
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert len(archive.namelist()) == particles.sizes["particle"]
    assert call("convert", finished, "p.docx")[0] == 2
    assert call("convert", "a.tif", "a.jpg")[0] == 2


def test_dry_run_writes_nothing(call, settings_file, tmp_path):
    code, out, err = call("run", settings_file, "--dry-run", "--json")
    document = json.loads(out)
    assert code == 0, err
    assert document["frames"] == 4 and document["seconds"] > 0 and document["bytes"] > 10_000
    assert [p.name for p in tmp_path.iterdir()] == ["settings.yaml"]


def test_preview(call, settings_file, finished, tmp_path):
    code, out, err = call("run", settings_file, "--preview", "2", "--json")
    document = json.loads(out)
    assert code == 0 and document["n_particles"] > 0, err
    assert [p.name for p in tmp_path.iterdir()] == ["run_preview_2.png", "settings.yaml"] or not (tmp_path / "run.zarr").exists()
    image = io.read(tmp_path / "run_preview_2.png")
    assert min(image.shape) > 300
    code, _, err = call("run", settings_file, "--preview", "9")
    assert code == 2 and "expected a frame 0 … 3, found 9" in err


def test_corrected_labels_from_a_file(call, settings_file, tmp_path):
    call("run", settings_file, "--scheduler", "sync", "--no-report", "-q")
    labels = np.zeros((192, 192), np.int32)
    labels[10:20, 10:20] = 3
    io.write(labels, tmp_path / "edited.tif")
    assert call("segment", "run.zarr", "--corrected", "edited.tif", "--frame", "2")[0] == 0
    assert call("measure", "run.zarr", "--scheduler", "sync")[0] == 0
    table = Store.open(tmp_path / "run.zarr").read_table("particles")
    assert table["area_px"].values[table["frame"].values == 2].tolist() == [100]
    code, _, err = call("segment", "run.zarr", "--corrected", "edited.tif", "--frame", "7")
    assert code == 2 and "expected a row 0 … 3" in err


def test_train_and_use_a_model(call, settings_file, frames, tmp_path):
    call("run", settings_file, "--scheduler", "sync", "--no-report", "-q")
    for row in (0, 1):
        io.write(frames[row].labels, tmp_path / f"labels{row}.tif")
    y, x = np.nonzero(frames[0].labels == 1)
    pd.DataFrame({"y0": [y.min()], "x0": [x.min()], "y1": [y.max() + 1], "x1": [x.max() + 1]}).to_csv(tmp_path / "boxes.csv")
    sync = ("--scheduler", "sync")
    code, out, err = call("segment", "run.zarr", "--train", "model.json", "--labels", "labels0.tif", "--frame", 0, *sync)
    assert code == 0 and "model       model.json (Rescorer)" in out, err
    code, out, err = call("segment", "run.zarr", "--train", "boxes.json", "--labels", "boxes.csv", *sync, "--json")
    assert code == 0 and json.loads(out)["n_done"]["segment"] == 4, err
    io.write((frames[1].labels > 0).astype(np.uint8) + 1, tmp_path / "scribbles.tif")
    code, out, err = call("segment", "run.zarr", "--train", "forest.npz", "--scribbles", "scribbles.tif", "--frame", 1, *sync)
    assert code == 0 and "forest.npz (PixelClassifier)" in out, err
    code, out, err = call("segment", "run.zarr", "--model", "model.json", *sync, "--json")
    assert code == 0 and json.loads(out)["n_done"]["segment"] == 4, err
    code, out, err = call("segment", "run.zarr", "--model", "model.json", "--preview", 2)
    assert code == 0 and (tmp_path / "run_preview_2.png").exists(), err
    for arguments, message in [
        (["--model", "absent.json"], "settings: segment.model_file: expected a file with a trained model"),
        (["--model", "labels0.tif"], "settings: segment.model_file: expected a saved Rescorer or PixelClassifier, found"),
        (["--train", "m.json"], "empty_input: run.zarr: expected frames whose labels were corrected"),
        (["--train", "m.json", "--labels", "labels0.tif", "--frame", 9], "frame: expected a row 0 … 3"),
        (["--train", "m.json", "--labels", "labels0.tif", "--labels", "labels1.tif"], "--frame: expected one for each of 2"),
        (["--labels", "labels0.tif"], "--train: expected the file"),
        (["--train", "m.json", "--model", "model.json"], "--model: expected either"),
        (["--set", "segment.method=trained", "--set", "segment.model_file=null"], "expected the file of a trained model"),
    ]:
        code, _, err = call("segment", "run.zarr", *arguments, *sync)
        assert code == 2 and message in err and err.count("\n") == 1, err
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "--images", "nothing/*.tif"], 2, "empty_input: nothing/*.tif: expected at least one image file, found none"),
        (["run"], 2, "empty_input: images: expected files"),
        (
            ["run", "--preset", "slater"],
            2,
            "unknown_name: preset: expected one of auto, slater2020, found 'slater' (did you mean 'slater2020'?)",
        ),
        (
            ["run", "image.tif"],
            2,
            "settings: image.tif: expected a YAML file with settings, found images; give images as --images 'image.tif'",
        ),
        (["run", "."], 2, "settings: .: expected a YAML file with settings, found images"),
        (
            ["run", "--preset", "auto", "--set", "measure.box_px=wide"],
            2,
            "nanospa: settings: measure.box_px: Input should be a valid integer",
        ),
        (["run", "absent.yaml"], 2, "settings: absent.yaml: the settings cannot be read"),
        (["run", "--preset", "auto", "--set", "segment.sigma=1"], 2, "nanospa: settings: segment.sigma: unknown key"),
        (["run", "--preset", "slater2020", "--pixel-size-nm", "0"], 2, "pixel_size: --pixel-size-nm"),
        (["run", "--preset", "slater2020", "--scheduler", "nowhere"], 2, "nanospa: scheduler: expected sync, local"),
        (["measure", "absent.zarr"], 2, "store: absent.zarr: no such store"),
        (["info", "absent.zarr"], 2, "store: absent.zarr: no such store"),
        (["report", "absent.zarr"], 2, "no such store"),
        (["convert", "absent.tif", "a.mrc"], 1, "unreadable_file: absent.tif: no such file"),
        (["run", "--wrong"], 2, "No such option"),
    ],
)
def test_what_cannot_start(call, tmp_path, arguments, code, message):
    found, _, err = call(*arguments)
    assert found == code and message in err and "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["file", "folder", "schema", "other"])
def test_a_store_that_is_none(call, settings_file, tmp_path, kind):
    path = tmp_path / "run.zarr"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
        (path / "thesis.txt").write_text("mine")
    else:
        Store.create(path)
        if kind == "schema":
            Store.open(path, writable=True).set_attributes(schema_version=7)
        else:
            (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    before = {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}
    code, _, err = call("run", settings_file, "--scheduler", "sync")
    assert code == 2 and "store_schema: run.zarr: expected a" in err
    assert {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()} == before


def test_partial_and_failed_runs(call, frames, tmp_path):
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images/good.npy", frames[0].image)
    (tmp_path / "images/bad.tif").write_bytes(b"II*\0")
    (tmp_path / "s.yaml").write_text(yaml.safe_dump({"segment": SEGMENT, "cluster": CLUSTER}))
    code, out, err = call("run", "s.yaml", "--images", "images", "--scheduler", "sync")
    assert code == 3 and "input failed: unreadable_file: images/bad.tif" in err and "frames      1" in out
    code, out, err = call("run", "s.yaml", "--images", "images/bad.tif", "--store", "other.zarr", "--scheduler", "sync")
    assert code == 1 and "bad.tif" in err
    assert "warning" not in err and "particles" not in out, "what follows from a failure is no news"


def test_verbose_shows_where(call):
    from nanospa.errors import StoreError

    with pytest.raises(StoreError):
        main(["info", "absent.zarr", "-v"])
    assert call("info", "absent.zarr", "-q")[1] == ""


def test_help_and_version_are_light():
    show = "print(*sorted(m.split('.')[0] for m in sys.modules))"
    program = f"import sys, nanospa.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n{show}"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "demo" in out and "doctor" in out
    loaded = set(out.splitlines()[-1].split())
    assert not loaded & {
        "numpy",
        "xarray",
        "zarr",
        "dask",
        "distributed",
        "sklearn",
        "skimage",
        "scipy",
        "pandas",
        "matplotlib",
        "pydantic",
    }
    version = subprocess.run([sys.executable, "-m", "nanospa", "--version"], capture_output=True, text=True, check=True).stdout
    assert version.strip().count(".") == 2


SMALL = {
    "survey_field_nm": 300,
    "survey_shape": "[256, 256]",
    "tiles": 2,
    "image_shape": "[256, 256]",
    "focus_shape": "[128, 128]",
    "focus_samples": 5,
}


def small(**more):
    """Options for a session of small images."""
    return [text for key, value in {**SMALL, **more}.items() for text in ("--set", f"acquire.{key}={value}")]


def test_demo(call, tmp_path):
    code, out, err = call("demo", "--frames", "3", "--scheduler", "sync", *small(), "--set", "cluster.scan=false")
    assert code == 0, err
    assert "session     ended (images): 3 images of 1 survey" in out and "s an image all in" in out
    assert "truth: " in out and "found " in out and "imaged " in out and "counted once" in out
    assert "demo/run.zarr" in out and "demo/run_report.html" in out and (tmp_path / "demo/run_report.html").exists()
    code, _, err = call("demo", "--set", "simulate.shape=[256, 256]")
    assert code == 2 and "the demo acquires its images on a simulated microscope" in err


def test_acquire_abort_and_go_on(call, tmp_path):
    one = ["--store", "run.zarr", "--scheduler", "sync", "--no-report"]
    code, out, err = call("acquire", *one, "--no-analysis", "--json", *small(max_images=2))
    assert code == 0, err
    document = json.loads(out)
    assert document["n_frames"] == 2 and document["acquisition"]["state"] == "ended" and not document["n_particles"]
    assert call("acquire", *one, "--abort")[1].startswith("run.zarr: the session was over already")
    code, out, err = call("acquire", *one, "--set", "segment.method=threshold")
    assert code == 0 and "particles " in out, err
    code, out, _ = call("info", "run.zarr")
    assert code == 0 and "acquisition: ended (images), 2 images of 1 survey\n" in out
    code, _, err = call("acquire", *one, "--set", "acquire.max_images=5")
    assert code == 2 and "holds a session with other settings: acquire.max_images 2 (now 5)" in err
    code, _, err = call("acquire", "--store", "other.zarr", "--microscope", "none")
    assert code == 2 and "none" in err and not (tmp_path / "other.zarr").exists()
    code, _, err = call("acquire", "--store", "other.zarr", "--plan", "slatr2020")
    assert code == 2 and "slater2020" in err
    assert call("acquire", "--store", "absent.zarr", "--abort")[0] == 2
    code, out, _ = call("acquire", "--store", "absent.zarr", "--dry-run", "--json", "--set", "acquire.max_images=9")
    document = json.loads(out)
    assert code == 0 and document["images"] == 9 and document["scan_s"] > 9 * 20 and not (tmp_path / "absent.zarr").exists()
    assert call("doctor", "run.zarr")[0] == 0
