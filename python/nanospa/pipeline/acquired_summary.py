"""An acquisition in numbers, and beside the truth of a simulated specimen: single particles, however often they were seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.io.records import decode_record
from nanospa.io.store import Store
from nanospa.pipeline.acquired_frames import SURVEYS, kept_frames
from nanospa.pipeline.event_journal import EventJournal, has_events
from nanospa.pipeline.session_lock import is_held
from nanospa.pipeline.stages import TRUTH_PREFIX
from nanospa.pipeline.summary import Failure
from nanospa.schema.store import ACQUISITION, FRAME_TABLE, PARTICLES, TILES, TRUTH

#: Reasons for leaving out a particle that are no failure: it was looked at and not wanted.
OF_CHOICE = ("not on a zone axis", "others lie nearer to a zone axis", "enough of this survey")


def acquisition_of(store: Store) -> dict[str, Any]:
    """How the session of a store stands; empty for a store without one."""
    if not store.has(ACQUISITION):
        return {}
    table = store.read_table(ACQUISITION, ("kind", "clock_s", "duration_s", "electrons_per_nm2"))
    kind, clock = table["kind"].to_numpy().astype(str), table["clock_s"].to_numpy()
    known = clock[np.isfinite(clock)]
    seconds = float(known[-1] - known[0] + np.nan_to_num(table["duration_s"].to_numpy()[0])) if known.size else 0.0
    n_images = int((kind == "image").sum())
    raster = table.attrs.get("raster_y_um") or ()
    return {
        **store.attributes.get("acquisition", {}),
        "n_images": n_images,
        "n_surveys": int((kind == "survey").sum()),
        "n_positions": len(raster),
        "n_faults": int((kind == "fault").sum()),
        "n_skipped": int((kind == "skip").sum()),
        "instrument_s": seconds,
        "seconds_an_image": seconds / n_images if n_images else None,
    }


def standing_of(store: Store) -> dict[str, Any]:
    """State, reason and counts of a session as its events have them, also of one that runs or was killed; empty for a store without one.

    A session that was killed has not written that it stands still: it is "interrupted" where no process acquires into the store.
    """
    if not has_events(store):
        return {}
    events = EventJournal(store).events
    kinds = [event.kind for event in events]
    standing: dict[str, Any] = {"state": "running", "reason": "", **store.attributes.get("acquisition", {})}
    if kinds and kinds[-1] in ("end", "pause"):
        state = "ended" if kinds[-1] == "end" else "paused"
        standing |= {"state": state, "reason": str(events[-1].values.get("reason", ""))}
    elif standing["state"] == "running" and not is_held(store.path):
        standing["state"] = "interrupted"
    return {**standing, "n_events": len(events), "n_images": kinds.count("image"), "n_surveys": kinds.count("survey")}


def without_image(store: Store, session: Mapping[str, Any]) -> tuple[Failure | None, str | None]:
    """Why a session came to its end without an image: a failure where things were left out, a warning where there was nothing to image."""
    if session.get("state") != "ended" or session.get("reason") == "aborted" or session["n_images"]:
        return None, None
    table = store.read_table(ACQUISITION, ("kind", "what", "reason", "message"))
    kind, what, reason, message = (table[name].to_numpy().astype(str) for name in ("kind", "what", "reason", "message"))
    left = (kind == "skip") & np.isin(what, ("position", "tile", "particle")) & ~np.isin(reason, OF_CHOICE)
    if left.any():
        counts = ", ".join(f"{n} × {each}" for each, n in zip(*np.unique(reason[left], return_counts=True), strict=True))
        positions = f"{int((what[left] == 'position').sum())} of {session['n_positions']} positions"
        parts = f"{int((what[left] != 'position').sum())} tiles or particles"
        faults = message[kind == "fault"]
        last = f"; the microscope failed {faults.size} times, last: {faults[-1]}" if faults.size else ""
        return Failure("acquire", -1, "", "no_image", f"no image was taken: {positions} and {parts} were left out ({counts}){last}"), None
    if session["reason"] != "done":
        return None, f"no image was taken: the session ended ({session['reason']}) before the first one"
    return None, "no image was taken: the surveys show nothing to take one of"


def single_particles(store: Store) -> tuple[dict[str, float], tuple[dict[str, Any], ...]]:
    """Single particles of the specimen: how many were imaged, found and counted once; and the sizes of each population."""
    if not (store.has(ACQUISITION) and store.has(TRUTH) and store.has(PARTICLES)):
        return {}, ()
    truth = store.read_table(TRUTH)
    if "id" not in truth or not truth.sizes.get("particle"):
        return {}, ()
    name, whole, frame = truth["id"].to_numpy(), ~truth["touches_border"].to_numpy().astype(bool), truth["frame"].to_numpy()
    copy = _rows_found(store, frame, truth["found_label"].to_numpy())
    particles = store.read_table(PARTICLES, ("duplicate", "touches_border", "equivalent_diameter_nm"))
    counts = ~(particles["duplicate"].to_numpy().astype(bool) | particles["touches_border"].to_numpy().astype(bool))
    counted = np.zeros(name.size, bool)
    counted[copy >= 0] = counts[copy[copy >= 0]]
    distinct, found = np.unique(name[whole]), np.unique(name[whole & (copy >= 0)])
    figures = {"n_distinct": float(distinct.size)}
    if found.size:
        # Not more often, and not less.
        once = [int(counted[name == each].sum()) == 1 for each in found]
        figures["counted_once_fraction"] = float(np.mean(once))
    surveyed = _surveyed(store)
    if surveyed.size:
        figures["imaged_fraction"] = float(np.isin(surveyed, distinct).mean())
    return figures, _sizes(store, truth, particles, whole, copy, counted)


def _rows_found(store: Store, frame: NDArray[Any], label: NDArray[Any]) -> NDArray[np.int64]:
    """Row of the particle table that each true particle of a frame was found as; −1 where it was not."""
    table = store.read_table(PARTICLES, ("frame", "label"))
    rows = {key: row for row, key in enumerate(zip(table["frame"].to_numpy().tolist(), table["label"].to_numpy().tolist(), strict=True))}
    keys = zip(frame.tolist(), label.tolist(), strict=True)
    return np.array([rows.get(key, -1) if key[1] > 0 else -1 for key in keys], np.int64)


def _surveyed(store: Store) -> NDArray[Any]:
    """Particles that lie whole in a survey, but for those in tiles that were left out because the session was to end."""
    tiles = store.read_table(TILES, ("survey", "tile_row", "tile_column", "state", "reason"))
    per_side = int(tiles["tile_row"].to_numpy().max(initial=0)) + 1
    left = {
        (survey, row, column)
        for survey, row, column, state, reason in zip(*(tiles[name].to_numpy().tolist() for name in tiles), strict=True)
        if state == "not reached" or (state == "skipped" and reason.endswith(" left"))
    }
    names: list[NDArray[Any]] = []
    for number, (text, frame) in enumerate(zip(store.journal.records(SURVEYS), kept_frames(store, SURVEYS), strict=False)):
        columns = {key.removeprefix(TRUTH_PREFIX): values for key, values in decode_record(text)[1].items()}
        if "id" not in columns:
            continue
        row, column = (
            (columns[f"{axis}_px"] * per_side / n).astype(int).clip(0, per_side - 1) for axis, n in zip("yx", frame.shape, strict=True)
        )
        visited = np.array([(number, *place) not in left for place in zip(row.tolist(), column.tolist(), strict=True)], bool)
        names.append(columns["id"][visited & ~columns["touches_border"].astype(bool)])
    return np.unique(np.concatenate(names)) if names else np.zeros(0, np.int64)


def _sizes(
    store: Store, truth: Any, particles: Any, whole: NDArray[Any], copy: NDArray[Any], counted: NDArray[Any]
) -> tuple[dict[str, Any], ...]:
    """Equivalent diameters of whole particles, found and true."""
    frames = store.read_table(FRAME_TABLE, ("pixel_size_y_nm", "pixel_size_x_nm"))
    pixel = np.sqrt(frames["pixel_size_y_nm"].to_numpy() * frames["pixel_size_x_nm"].to_numpy())[truth["frame"].to_numpy()]
    true_nm = 2 * np.sqrt(truth["area_px"].to_numpy() / np.pi) * pixel
    population, name = truth["population"].to_numpy().astype(str), truth["id"].to_numpy()
    first = np.zeros(name.size, bool)
    first[np.flatnonzero(whole)[np.unique(name[whole], return_index=True)[1]]] = True
    made = []
    for each in np.unique(population[whole]):
        ours = whole & (population == each)
        # A particle that is counted twice by mistake has two sizes, and is one particle.
        found_nm = particles["equivalent_diameter_nm"].to_numpy()[copy[counted & ours]]
        true = true_nm[first & (population == each)]
        made.append(
            {
                "population": str(each),
                "n_true": int(true.size),
                "n_found": int(np.unique(name[ours & (copy >= 0)]).size),
                "true_nm": float(true.mean()) if true.size else None,
                "found_nm": float(found_nm.mean()) if found_nm.size else None,
            }
        )
    return tuple(made)
