"""The report of an acquisition: the map says where and why, the figures show the numbers of the tables."""

import html
import re

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from nanospa.acquire import event_tables
from nanospa.io.store import Store
from nanospa.report.image_times import time_spent
from nanospa.report.run_view import RunView
from nanospa.report.sections.acquisition import acquisition, totals
from nanospa.report.sections.stage_svg import MOST_TILES, stage_svg

from tests.acquire.session_events import session_events
from tests.report.conftest import acquired_run

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def acquired():
    return acquired_run()


@pytest.fixture(scope="module")
def events():
    return session_events()


@pytest.fixture(scope="module")
def page(acquired, tmp_path_factory):
    return page_of(acquired, tmp_path_factory.mktemp("page"))


def page_of(tree, tmp_path):
    return html.unescape(ns.report.report(tree, tmp_path / "report.html").read_text(encoding="utf-8"))


def test_every_tile_says_what_became_of_it(page, acquired):
    said = re.findall(r'<rect class="([a-z-]+)"[^>]*><title>([^<]*)</title>', page)
    states = acquired["tiles"]["state"].values.tolist()
    assert sorted(kind for kind, _ in said) == sorted(state.replace(" ", "-") for state in states)
    assert sum(text.startswith("skipped: dose limit · ") for _, text in said) == (acquired["tiles"]["reason"].values == "dose limit").sum()
    assert {text.split(" · ")[0] for kind, text in said if kind == "imaged"} == {f"image {i}" for i in range(states.count("imaged"))}


def test_map_is_true_to_scale(acquired):
    drawn = stage_svg(RunView.of(acquired))
    surveys, tiles = acquired["survey_table"], acquired["tiles"].to_dataset()
    size = float(surveys["pixel_size_x_nm"][0] * surveys["width_px"][0])
    assert [float(box["width"]) for box in drawn["surveys"]] == pytest.approx([size] * surveys.sizes["survey"], abs=0.1)
    first = int(np.flatnonzero(tiles["state"].values == "imaged")[0])
    title = f"image {int(tiles['image'][first])} · "
    tile = next(t for t in drawn["tiles"] if t["said"].startswith(title))
    corner = float(tile["x"]) - float(drawn["surveys"][0]["x"])
    expected = 1000 * float(tiles["stage_x_um"][first] - tiles["width_um"][first] / 2 - surveys["stage_x_um"][0]) + size / 2
    assert corner == pytest.approx(expected, abs=1.5)
    stops = [int(stop["number"]) for stop in drawn["stops"]]
    assert stops == [0, 1, 2, 3, 5, 6, 7, 8] and len(drawn["missed"]) == 1, "position 4 was skipped"
    assert len(drawn["pictures"]) == surveys.sizes["survey"]


def test_skips_and_faults_are_listed(page):
    assert "6 skips, faults and pauses" in page
    assert "<td>detector (image, attempt 1)</td><td>3</td><td></td><td>no image</td><td>retry</td>" in page
    assert "skipped: 5 tiles, dose limit" in page and "no beam (1)" in page
    assert "×: 1 stage position skipped" in page


def test_skips_of_one_kind_are_one_row(events):
    last = events[-1]
    skips = [
        {
            "number": last["number"] + i,
            "kind": "skip",
            "values": {**last["values"], "what": "tile", "position": 8, "tile": i, "reason": "no images left"},
        }
        for i in range(1, 6)
    ]
    tree = xr.DataTree.from_dict(event_tables([*events[:-1], *skips]))
    troubles = acquisition(RunView.of(tree))["troubles"]
    assert troubles["rows"][-1][2:6] == ["tile", "8", "1 … 5 (5)", "no images left"]
    assert troubles["caption"] == "11 skips, faults and pauses" and len(troubles["rows"]) == 7


def test_totals(acquired, events):
    said = dict(totals(RunView.of(acquired)))
    n = sum(e["kind"] == "image" for e in events)
    end = events[-1]["values"]["clock_s"]
    assert said["stage positions surveyed"] == "8 of 9 planned"
    assert said["images"] == str(n)
    assert said["time an image, all in"] == f"{end / n:.1f} s"
    assert said["time of the instrument"] == f"{round(end) // 60} min {round(end) % 60} s"
    assert said["coarse focus"] == "8: 5 fitted, 1 rolled back, 1 no signal, 1 best sample"
    assert said["faults and what was done"] == "4: detector → retry (1), stage → retry (2), stage → skip (1)"
    dose = next(e["values"]["electrons_per_nm2"] for e in events if e["kind"] == "image")
    assert said["dose of an image [electrons/nm²]"] == f"{dose:,.0f}"


def test_no_second_is_lost(events):
    spent, after = time_spent(event_tables(events)["acquisition"])
    whole = sum(values.sum() for values in spent.values()) + sum(after.values())
    assert whole == pytest.approx(events[-1]["values"]["clock_s"])
    assert spent["exposure"] == pytest.approx(1024**2 * 20e-6)
    assert spent["faults"].sum() + after["faults"] == pytest.approx(22 + 3 * 30)


def test_time_nobody_claims_is_overhead():
    columns = {"kind": ["image", "image"], "duration_s": [10.0, 10.0], "clock_s": [10.0, 25.0]}
    spent, _ = time_spent(xr.Dataset({name: ("event", values) for name, values in columns.items()}))
    assert spent["overhead"].tolist() == [0.0, 5.0] and spent["exposure"].tolist() == [10.0, 10.0]


def test_stacks_are_as_high_as_the_times(acquired):
    figure = ns.report.image_times(acquired["acquisition"].to_dataset())
    tops = [patch.get_data().values for patch in figure.axes[0].patches]
    spent, _ = time_spent(acquired["acquisition"].to_dataset())
    assert np.max(tops, axis=0) == pytest.approx(sum(spent.values()))
    assert figure.axes[1].get_yscale() == "log"


def test_focus_curves_show_fit_and_final(acquired):
    samples = acquired["focus_curves"].to_dataset()
    figure = ns.report.focus_curves(samples, [0, 2])
    fitted, rolled_back = figure.axes
    assert len(fitted.lines) == 4 and len(rolled_back.lines) == 3, "only the first has a fit"
    assert fitted.lines[0].get_ydata().tolist() == samples["sharpness"].values[:10].tolist()
    peak = fitted.lines[1].get_xdata()[np.argmax(fitted.lines[1].get_ydata())]
    assert peak == pytest.approx(float(samples["centre_nm"][0]), abs=1)
    assert fitted.get_title() == "position 0\nfitted, −10.0 nm"
    assert "rolled back" in rolled_back.get_title()


def test_a_flat_curve_stays_flat():
    columns = {"focus": [0] * 3, "defocus_nm": [-1.0, 0.0, 1.0], "sharpness": [1.0, 1.0001, 0.9999]}
    axes = ns.report.focus_curves(xr.Dataset({name: ("sample", values) for name, values in columns.items()})).axes[0]
    low, high = axes.get_ylim()
    assert high - low > 0.05


def test_focus_curves_name_what_is_missing():
    with pytest.raises(ns.errors.UnknownNameError, match="samples: expected a column 'sharpness', found focus, defocus_nm"):
        ns.report.focus_curves(xr.Dataset({"focus": ("sample", [0]), "defocus_nm": ("sample", [0.0])}))


def test_many_curves_are_sampled(tmp_path):
    page = page_of(acquired_run(n_rows=7, n_columns=5), tmp_path)
    assert "24 of 34 curves are shown, those not fitted first" in page


def test_drift_and_focus_against_time(acquired):
    axes = ns.report.focus_drift(acquired["acquisition"].to_dataset()).axes
    assert [a.get_ylabel().replace("\n", " ") for a in axes] == [
        "defocus [nm]",
        "displacement since the survey [nm]",
        "drift rate [nm/min]",
    ]
    labels = [line.get_label() for line in axes[0].lines]
    assert {"fitted", "best sample", "rolled back", "no signal"} <= set(labels)


def test_files(acquired, tmp_path):
    names = [path.name for path in ns.report.figures(acquired, tmp_path, formats=["png"])]
    assert names == ["stage_map.png", "image_times.png", "focus_drift.png", "focus_curves_0000.png", "focus_curves_0006.png"]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("end", "The session has ended: raster done."),
        ("pause", "The session is paused: Ctrl-C. The same command goes on with it."),
        ("", "The session has not ended"),
    ],
)
def test_standing(end, said):
    standing = acquisition(RunView.of(acquired_run(end)))["standing"]
    assert standing["text"].startswith(said) and standing["warning"] == (end != "end")


@pytest.mark.parametrize("missing", ["acquisition", "survey_table", "tiles", "focus_curves", "surveys"])
def test_every_part_may_be_absent(missing, acquired, tmp_path):
    tree = acquired.copy()
    del tree[missing]
    assert "<h2>Acquisition</h2>" in page_of(tree, tmp_path)


@pytest.mark.parametrize("kept", ["acquisition", "survey_table", "tiles", "focus_curves"])
def test_one_part_alone(kept, acquired, tmp_path):
    tree = xr.DataTree.from_dict({kept: acquired[kept].to_dataset()})
    assert "<h2>Acquisition</h2>" in page_of(tree, tmp_path)
    ns.report.figures(tree, tmp_path / "figures", formats=["png"])


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_first_moments_of_a_session(n, events, tmp_path):
    tables = event_tables(events[:n])
    tree = xr.DataTree.from_dict({name: table.drop_attrs(deep=False) for name, table in tables.items()})
    page = page_of(tree, tmp_path)
    assert ("<h2>Acquisition</h2>" in page) == (n > 0)
    ns.report.figures(tree, tmp_path / "figures", formats=["png"])


def test_from_a_real_store(events, tmp_path):
    store = Store.create(tmp_path / "run.zarr")
    for name, table in event_tables(events).items():
        store.write_table(name, table, **table.attrs)
    assert "The session has ended: raster done." in page_of(tmp_path / "run.zarr", tmp_path)


def test_nothing_acquired_says_nothing(run):
    assert acquisition(RunView.of(run)) is None


def test_reasons_are_text(events, tmp_path):
    tables = event_tables(events)
    for name, column in (("tiles", "reason"), ("acquisition", "reason"), ("acquisition", "message"), ("focus_curves", "verdict")):
        tables[name][column][:] = EVIL
    tree = xr.DataTree.from_dict({name: table.assign_attrs(nanospa={**table.attrs, "reason": EVIL}) for name, table in tables.items()})
    page = ns.report.report(tree, tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1 and "<img src=x" not in page and "alert(1)" in page


def test_large_sessions_stay_small(tmp_path):
    n = 40_000
    columns = {
        "stage_y_um": np.arange(n) // 200 * 0.2,
        "stage_x_um": np.arange(n) % 200 * 0.2,
        "height_um": np.full(n, 0.2),
        "width_um": np.full(n, 0.2),
        "state": np.where(np.arange(n) % 2, "empty", "imaged").astype(object),
    }
    tree = xr.DataTree.from_dict({"tiles": xr.Dataset({name: ("row", values) for name, values in columns.items()})})
    page = page_of(tree, tmp_path)
    assert len(re.findall('<rect class="', page)) <= MOST_TILES and len(page) < 3e6
    assert "20,000 empty tiles are not drawn." in page and "One of 4 tiles is drawn." in page
