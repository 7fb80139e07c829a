"""The command reconstruct, and what run, info and doctor say of volumes; the reconstruction itself is a stand-in."""

import json
import shutil

import nanospa as ns
import pytest
from nanospa import pipeline
from nanospa.cli import main
from nanospa.io.store import Store

from tests.pipeline import reconstruct_stand_in
from tests.pipeline.conftest import CLUSTER, SEGMENT, SIMULATE

SETTINGS = {
    "simulate": {**SIMULATE, "n_particles": 6},
    "segment": SEGMENT,
    "cluster": CLUSTER,
    "reconstruct": {"min_images": 3, "n_starts": 2, "box_px": 32},
}


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch):
    monkeypatch.setattr(ns.reconstruct, "reconstruct", reconstruct_stand_in.reconstruct)


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a command in a folder with a store; gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(a) for a in arguments])
        text = capsys.readouterr()
        return end.value.code or 0, text.out, text.err

    return run


@pytest.fixture(scope="module")
def clustered(tmp_path_factory):
    path = tmp_path_factory.mktemp("clustered") / "run.zarr"
    pipeline.run(SETTINGS, path, scheduler="sync", stages=("input", "segment", "measure", "cluster"))
    return path


@pytest.fixture
def store(clustered, tmp_path):
    shutil.copytree(clustered, tmp_path / "run.zarr")
    return tmp_path / "run.zarr"


def test_table(call, store):
    code, out, err = call("reconstruct", "run.zarr", "--scheduler", "sync")
    assert code == 0, err
    title, first, second, *_ = out.splitlines()
    words = ["cluster", "images", "symmetry", "volume nm³", "truth", "sphericity", "resolution nm", "correlation", "verdict"]
    assert all(word in title for word in words) and "flags" not in title
    assert first.split()[0] == "0" and second.split()[0] == "1" and "confident (z 7.0)" in first and " 1.25 " in first and "%" in first
    code, out, _ = call("info", "run.zarr")
    assert "volumes: cluster_000 (" in out and "images, O, confident)" in out
    code, out, _ = call("run", "--scheduler", "sync", "--no-report")
    assert code == 0 and "volume nm³" in out and "clusters    2" in out


def test_one_cluster_of_another_symmetry(call, store):
    call("reconstruct", "run.zarr", "--scheduler", "sync", "-q")
    code, out, err = call("reconstruct", "run.zarr", "--cluster", "1", "--symmetry", "D4", "--scheduler", "sync", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert [row["symmetry"] for row in document["reconstructions"]] == ["D4"] and document["n_done"]["reconstruct"] == 1
    code, out, _ = call("reconstruct", "run.zarr", "--scheduler", "sync", "--json")
    document = json.loads(out)
    assert [row["symmetry"] for row in document["reconstructions"]] == ["O", "D4"] and document["n_done"]["reconstruct"] == 0
    code, out, _ = call("reconstruct", "run.zarr", "--set", "reconstruct.symmetries.0=C4", "--scheduler", "sync", "--json")
    assert [row["symmetry"] for row in json.loads(out)["reconstructions"]] == ["C4", "D4"]


def test_export_and_report(call, store, tmp_path):
    code, out, err = call("reconstruct", "run.zarr", "--scheduler", "sync", "--export", "for_relion", "--cluster", "1")
    assert code == 0 and "files in for_relion" in out, err
    written = {path.suffix for path in (tmp_path / "for_relion").iterdir()}
    assert {".mrc", ".mrcs", ".star", ".stl", ".glb"} <= written
    code, out, err = call("report", "run.zarr")
    assert code == 0 and "cluster_001" in (tmp_path / "run_report.html").read_text(), err


def test_usage(call, store):
    for arguments, message in [
        (("--symmetry", "Oh"), "reconstruct.symmetry: "),
        (("--cluster", "9"), "clusters: expected clusters of the store (0 … 1), found 9"),
        (("--set", "reconstruct.n_start=3"), "did you mean 'n_starts'"),
        (("--set", "reconstruct.box_px=33"), "reconstruct.box_px: "),
    ]:
        code, out, err = call("reconstruct", "run.zarr", "--scheduler", "sync", *arguments)
        assert code == 2 and message in err and not out, err
    assert Store.open(store).volumes.names() == []


def test_under_determined(call, store):
    code, out, _ = call("reconstruct", "run.zarr", "--scheduler", "sync", "--set", "reconstruct.min_images=40")
    assert code == 0 and out.count("under-determined") == 3 and "reconstruct.min_images=N tries all the same" in out


def test_a_failure_is_told(call, store, monkeypatch):
    def failing(images, **options):
        raise ns.errors.InvalidValueError("images: all alike")

    monkeypatch.setattr(ns.reconstruct, "reconstruct", failing)
    code, out, err = call("reconstruct", "run.zarr", "--scheduler", "sync", "--cluster", "0")
    assert code == 1 and "reconstruct failed: invalid_value: images: all alike" in err and "failed" in out


def test_doctor_finds_and_repairs(call, store):
    call("reconstruct", "run.zarr", "--scheduler", "sync", "-q")
    assert call("doctor", "run.zarr")[0] == 0
    chunk = next(p for p in (store / "volumes/cluster_001/half_volumes/c").rglob("*") if p.is_file())
    chunk.write_bytes(b"torn")
    code, _, err = call("doctor", "run.zarr", "--repair")
    assert code == 3 and "volume 'cluster_001' is damaged" in err
    code, out, _ = call("reconstruct", "run.zarr", "--scheduler", "sync", "--json")
    assert code == 0 and json.loads(out)["n_done"]["reconstruct"] == 1
    assert call("doctor", "run.zarr")[0] == 0
