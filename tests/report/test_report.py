"""The HTML report stands alone, says what it leaves out, and shows names as text."""

import html
import json
import re
from html.parser import HTMLParser

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from nanospa.report.run_view import RunView

from tests.report.conftest import simulated_run

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
#: Names of variables and stores cannot have slashes.
EVIL_NAME = '"><img src=x onerror=alert(3)>'


class Page(HTMLParser):
    """Tags, attributes and headings of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.scripts, self._inside = [], set(), [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids |= {value for name, value in attrs if name == "id"}
        self._inside = tag

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
            self._inside = None


def page_of(tree, tmp_path):
    return ns.report.report(tree, tmp_path / "made" / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    return page_of(run, tmp_path_factory.mktemp("page"))


def test_sections_are_there(page):
    assert {"summary", "frames", "distributions", "clusters", "particles", "scan", "frame-table", "run"} <= Page(page).ids


def test_nothing_outside_the_file(page):
    assert not re.search(r"https?://", page), "an address of the network"
    for tag, attributes in Page(page).tags:
        for name in ("src", "href", "srcset", "data", "action", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, name)
    assert not re.search(r"@import|url\(", page)
    assert "default-src 'none'" in page


def test_truth_stands_beside_the_result(page, run):
    row = re.search(r'<th scope="row">particles</th><td>(\d+)</td><td>(\d+)</td>', page)
    assert row and int(row[1]) == int(row[2]) == run["particles"].sizes["particle"]


def test_share_of_true_particles_found(page, run):
    truth = run["truth"]
    for what, asked in (("whole in their frame", ~truth["touches_border"].values), ("cut by the border", truth["touches_border"].values)):
        found = (asked & (truth["iou"].values >= 0.5)).sum()
        share = f"{found} ({100 * found / asked.sum():.1f} %)"
        assert f"true particles {what} that were found (IoU ≥ 0.5)</th><td>{share}</td><td>{asked.sum()}</td>" in page


def test_true_sizes_equal_those_found_on_true_labels(page):
    row = re.search(r"D10 · D50 · D90 \[nm\]</th><td>([^<]+)</td><td>([^<]+)</td>", page)
    assert row and row[1] == row[2]


def test_corrected_labels_are_shown(tmp_path):
    tree = simulated_run(2)
    labels = tree["frames/stack0/labels/particles/image"]
    corrected = np.full(labels.shape, -1, np.int32)
    corrected[1] = labels[1]
    corrected[1, 10:30, 10:30] = 1
    tree["frames/stack0/labels/particles_corrected"] = xr.DataTree(xr.Dataset({"image": (labels.dims, corrected)}))
    tree["frame_table"] = xr.DataTree(tree["frame_table"].to_dataset().assign(corrected=("frame", [False, True])))
    view = RunView.of(tree)
    assert (view.labels(0) == labels[0].values).all()
    assert (view.labels(1) == np.maximum(corrected[1], 0)).all()
    assert (view.labels(1, (slice(5, 40), slice(5, 40))) == np.maximum(corrected[1, 5:40, 5:40], 0)).all()


def test_every_property_of_every_card(page, run):
    cards = json.loads(next(s for s in Page(page).scripts if s.lstrip().startswith("{")))
    table = run["particles"].to_dataset()
    assert cards["total"] == len(cards["particles"]) == table.sizes["particle"]
    names = [name for name, _ in cards["names"]]
    assert "equivalent diameter [nm]" in names and "solidity" in names
    card = cards["particles"][4]
    assert float(card["values"][names.index("solidity")]) == pytest.approx(float(table["solidity"][4]), rel=1e-3)
    assert card["picture"].startswith("data:image/png;base64,") and card["paths"]


def test_outlines_name_their_particle(page, run):
    drawn = [attributes for tag, attributes in Page(page).tags if tag == "path"]
    assert sorted(int(a["data-particle"]) for a in drawn) == list(range(run["particles"].sizes["particle"]))


def test_warnings_are_listed(page):
    assert "frame 2: constant image" in page
    assert "3 regions were dropped as smaller than the least area." in page
    assert "1 of 3 frames is out of focus." in page
    assert "Frame 1: hazy" in page
    assert "segment failed for item 7 (bad.tif): it is truncated" in page and page.count("it is truncated") == 1


@pytest.mark.parametrize("missing", ["calibrated", "clustered", "truth"])
def test_works_without(missing, tmp_path):
    page = page_of(simulated_run(2, **{missing: False}), tmp_path)
    text = html.unescape(page)
    if missing == "calibrated":
        assert "The pixel size is unknown: sizes are in pixels." in text and "[px]" in text and "[nm]" not in text
    if missing == "clustered":
        assert "clusters" not in Page(page).ids or "members" not in text
        assert "outlier" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).split('id="particles"')[1].split("</section>")[0]
    if missing == "truth":
        assert '<th scope="col">truth</th>' not in page


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"particles": xr.Dataset({"area_px": ("particle", np.arange(5.0))})},
        {"particles": xr.Dataset({"area_px": ("particle", np.empty(0))})},
        {"particles": xr.Dataset({"area_px": ("particle", np.full(3, np.nan)), "cluster": ("particle", [-1, -1, -1])})},
        {"frames/a": xr.Dataset({"image": (("frame", "y", "x"), np.zeros((1, 9, 7)))})},
        {"frames/a": xr.Dataset({"image": (("frame", "y", "x"), np.full((2, 9, 7), np.nan))})},
    ],
    ids=["empty", "one-column", "no-particles", "nan", "constant-frame", "nan-frame"],
)
def test_poor_stores(groups, tmp_path):
    assert "<h2>Summary</h2>" in page_of(xr.DataTree.from_dict(groups), tmp_path)


def test_names_are_text(tmp_path):
    tree = simulated_run(1)
    tree["frame_table"]["source"][:] = EVIL
    particles = tree["particles"].to_dataset().assign({EVIL_NAME: ("particle", np.arange(tree["particles"].sizes["particle"]))})
    particles[EVIL_NAME].attrs["long_name"] = EVIL
    tree["particles"] = xr.DataTree(particles)
    tree.attrs["nanospa"] = {"settings": {EVIL: EVIL}, EVIL: EVIL, "warnings": [EVIL], "seconds": {EVIL: 1.0}}
    tree.name = EVIL_NAME
    page = page_of(tree, tmp_path)
    assert page.count("<script") == 2, "only the page's own scripts"
    assert "onerror" in page, "the name is shown"
    assert not any(name.startswith("on") for _, attributes in Page(page).tags for name in attributes)


def test_large_runs_are_sampled(tmp_path):
    n = 100_000
    rng = np.random.default_rng(0)
    tree = simulated_run(2)
    box = {f"bbox_{edge}_px": ("particle", np.full(n, v, np.int32)) for edge, v in {"y0": 10, "x0": 10, "y1": 90, "x1": 90}.items()}
    columns = {
        name: ("particle", rng.lognormal(3, 0.2, n)) for name in ("area_nm2", "equivalent_diameter_nm", "intensity_max", "solidity", "snr")
    }
    place = {"frame": ("particle", np.zeros(n, np.int32)), "label": ("particle", np.ones(n, np.int32))}
    cluster = {"cluster": ("particle", rng.integers(-1, 40, n).astype(np.int32))}
    tree["particles"] = xr.DataTree(xr.Dataset({**columns, **place, **box, **cluster}))
    page = page_of(tree, tmp_path)
    assert len(page) < 10e6
    assert "Cards of 240 of 100,000 particles" in page
    assert "5,000 of 100,000 particles, drawn at random" in page


def test_old_report_is_replaced_whole(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    ns.report.report(xr.DataTree(), path)
    assert path.read_text().startswith("<!doctype html>") and list(tmp_path.iterdir()) == [path]


def test_no_store():
    with pytest.raises(ns.errors.StoreError, match="store: expected a path or a DataTree, found int"):
        ns.report.report(3, "report.html")
