"""Events become tables that say the same."""

import numpy as np
import pytest
import xarray as xr
from nanospa.acquire import Event, event_tables
from nanospa.io.store import Store
from nanospa.schema.acquisition import COLUMNS, DIMENSIONS, TILE_STATES

from tests.acquire.session_events import PER_SIDE, session_events


@pytest.fixture(scope="module")
def events():
    return session_events()


@pytest.fixture(scope="module")
def tables(events):
    return event_tables(events, survey_places=[("stack_000", i) for i in range(8)])


def test_columns_are_those_of_the_schema(tables):
    assert list(tables) == list(COLUMNS)
    for name, table in tables.items():
        assert list(table.data_vars) == [column.name for column in COLUMNS[name]]
        assert list(table.sizes) == [DIMENSIONS[name]]
        for column in COLUMNS[name]:
            values = table[column.name]
            assert values.dtype == (object if column.dtype == "str" else column.dtype), column.name
            assert values.attrs == {"units": column.unit, "long_name": column.description}


def test_one_row_an_event(tables, events):
    table = tables["acquisition"]
    assert table["kind"].values.tolist() == [event["kind"] for event in events]
    assert table["clock_s"].values[-1] == events[-1]["values"]["clock_s"]
    assert table["duration_s"].values.sum() == pytest.approx(events[-1]["values"]["clock_s"])
    image = table.isel(event=np.flatnonzero(table["kind"].values == "image")[3])
    assert (image["image"], image["stage_y_um"].dtype, image["electrons_per_nm2"] > 1000) == (3, float, True)
    start = table.isel(event=0)
    assert np.isnan(start["stage_y_um"]) and start["position"] == -1 and start["verdict"] == ""


def test_every_tile_has_a_fate(tables, events):
    tiles = tables["tiles"].to_dataframe()
    assert set(tiles["state"]) <= set(TILE_STATES) and len(tiles) == 8 * PER_SIDE**2
    n_images = sum(event["kind"] == "image" for event in events)
    imaged = tiles[tiles["state"] == "imaged"]
    assert sorted(imaged["image"]) == list(range(n_images))
    assert set(tiles[tiles["state"] == "skipped"]["reason"]) == {"dose limit", "no beam"}
    assert (tiles[tiles["state"] == "empty"]["n_found"] == 0).all()
    assert tables["survey_table"]["n_imaged"].values.sum() == n_images


def test_tiles_fill_their_survey(tables):
    tiles, surveys = tables["tiles"].to_dataframe(), tables["survey_table"]
    first = tiles[tiles["survey"] == 0]
    side = float(surveys["pixel_size_y_nm"][0] * surveys["height_px"][0]) / 1000
    assert first["height_um"].unique() == pytest.approx([side / PER_SIDE])
    assert first["stage_y_um"].mean() == pytest.approx(float(surveys["stage_y_um"][0]))
    assert first["stage_x_um"].max() - first["stage_x_um"].min() == pytest.approx(side * (1 - 1 / PER_SIDE))
    assert len({(r, c) for r, c in zip(first["tile_row"], first["tile_column"], strict=True)}) == PER_SIDE**2


def test_single_particles():
    events = session_events(1, 1)
    events[0]["values"]["plan"]["particle_field_nm"] = 25.0
    survey = next(event for event in events if event["kind"] == "survey")["values"]
    survey["tiles"] = []
    survey["particles"] = [
        {"particle": 0, "y_nm": 50.0, "x_nm": -100.0, "size_nm": 8.0, "selected": True, "reason": "particle"},
        {"particle": 1, "y_nm": 330.0, "x_nm": 0.0, "size_nm": 8.0, "selected": False, "reason": "cut by the survey's border"},
        {"particle": 2, "y_nm": 0.0, "x_nm": 0.0, "size_nm": 8.0, "selected": True, "reason": "particle"},
    ]
    image = next(event for event in events if event["kind"] == "image")["values"]
    image["particle"] = 0
    del image["tile"]
    skip = {"what": "particle", "particle": 2, "position": 0, "reason": "not on a zone axis", "clock_s": 1e3, "seconds": 0.0}
    events.append({"number": len(events), "kind": "skip", "values": skip})
    tables = event_tables(events)
    tiles = tables["tiles"]
    assert tiles["state"].values.tolist() == ["imaged", "skipped", "skipped"]
    assert tiles["reason"].values.tolist() == ["particle", "cut by the survey's border", "not on a zone axis"]
    assert tiles["stage_y_um"].values - survey["stage_y_um"] == pytest.approx([0.05, 0.33, 0])
    assert tiles["stage_x_um"].values - survey["stage_x_um"] == pytest.approx([-0.1, 0, 0])
    assert tiles["width_um"].values == pytest.approx([0.025] * 3)
    assert tables["acquisition"]["tile"].values[-1] == 2


def test_focus_curves(tables, events):
    curves = tables["focus_curves"]
    focus = [event for event in events if event["kind"] == "focus"]
    assert curves.sizes["sample"] == 10 * len(focus)
    second = curves.isel(sample=slice(10, 20))
    assert second["sharpness"].values.tolist() == focus[1]["values"]["sharpness"]
    assert set(second["focus"].values) == {1} and set(second["event"].values) == {focus[1]["number"]}
    assert float(second["centre_nm"][0]) == focus[1]["values"]["fit"]["centre_nm"]
    silent = curves.isel(sample=np.flatnonzero(curves["verdict"].values == "no_signal"))
    assert np.isnan(silent["centre_nm"].values).all() and (silent["final_nm"].values == silent["start_nm"].values).all()


@pytest.mark.parametrize(("end", "state", "reason"), [("end", "ended", "raster done"), ("pause", "paused", "Ctrl-C"), ("", "running", "")])
def test_standing(end, state, reason):
    table = event_tables(session_events(end=end))["acquisition"]
    assert (table.attrs["state"], table.attrs["reason"], len(table.attrs["raster_y_um"])) == (state, reason, 9)


def test_resumed_is_no_longer_paused():
    events = session_events(end="pause")
    events.append({"number": len(events), "kind": "move", "values": {"clock_s": 1e4, "seconds": 1.0}})
    assert event_tables(events)["acquisition"].attrs["state"] == "running"


def test_what_was_not_reached():
    events = session_events()
    cut = next(i for i, event in enumerate(events) if event["kind"] == "image") + 1
    tiles = event_tables(events[:cut])["tiles"]
    states = tiles["state"].values.tolist()
    assert states.count("imaged") == 1 and states.count("not reached") == 5
    skipped = {
        "number": cut,
        "kind": "skip",
        "values": {"what": "position", "position": 0, "reason": "no beam", "clock_s": 0, "seconds": 0},
    }
    tiles = event_tables([*events[:cut], skipped])["tiles"]
    assert [r for s, r in zip(tiles["state"].values, tiles["reason"].values, strict=True) if s == "skipped" and r == "no beam"] == [
        "no beam"
    ] * 5


def test_no_events():
    tables = event_tables([])
    assert {name: table.sizes[DIMENSIONS[name]] for name, table in tables.items()} == dict.fromkeys(COLUMNS, 0)


def test_events_or_their_mappings(events, tables):
    objects = [Event(number=e["number"], kind=e["kind"], values=e["values"]) for e in events]
    assert event_tables(objects)["acquisition"].identical(tables["acquisition"])


def test_kept_in_a_store(tables, tmp_path):
    store = Store.create(tmp_path / "run.zarr")
    for name, table in tables.items():
        store.write_table(name, table, **table.attrs)
    for name, table in tables.items():
        xr.testing.assert_equal(store.read_table(name), table.drop_attrs())
    assert store.read_attributes("acquisition")["state"] == "ended"
