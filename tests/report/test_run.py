"""The report of a store that the pipeline wrote."""

import json
import re

import nanospa as ns
import pytest


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.zarr"
    simulate = {"shape": [320, 320], "n_frames": 3, "n_particles": 6, "populations": "slater2020"}
    settings = ns.pipeline.Settings.from_mapping(
        {"simulate": simulate, "segment": "slater2020", "cluster": {"method": "kmeans", "options": {"n_clusters": 2}}}
    )
    ns.pipeline.run(settings, path, scheduler="sync")
    return path


def test_report(store, tmp_path):
    page = ns.report.report(store, tmp_path / "report.html").read_text(encoding="utf-8")
    particles = ns.open(store)["particles"].to_dataset()
    cards = json.loads(re.search(r'<script type="application/json" id="cards">(.*?)</script>', page, re.DOTALL)[1])
    assert cards["total"] == particles.sizes["particle"] == len(cards["particles"])
    assert [name for name, _ in cards["names"]].index("area [nm²]") < [name for name, _ in cards["names"]].index("circularity")
    truth = ns.open(store)["truth"]
    whole = ~truth["touches_border"].values.astype(bool)
    assert f"<td>{int(whole.sum())}</td>" in page
    assert "run.zarr" in page and "<h3>Settings</h3>" in page and "background_size_px: 301" in page


def test_figures(store, tmp_path):
    names = {path.name for path in ns.report.figures(store, tmp_path, formats=["png"])}
    assert {"frame_00000.png", "cluster_gallery.png", "frame_flags.png", "distribution_equivalent_diameter_nm.png"} <= names


def test_no_such_store(tmp_path):
    with pytest.raises(ns.errors.StoreError, match="no such store"):
        ns.report.report(tmp_path / "none.zarr", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
