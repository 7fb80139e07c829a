"""Tables of an acquisition from its records: made at checkpoints, at the end, and whenever a killed session is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nanospa.acquire import Event, event_tables
from nanospa.io.store import Store
from nanospa.pipeline import tables
from nanospa.pipeline.acquired_frames import IMAGES, SURVEYS, kept_frames
from nanospa.pipeline.event_journal import EventJournal, has_events
from nanospa.pipeline.frame_source import Frame
from nanospa.schema.store import ACQUISITION, FRAME_TABLE


def write_acquisition(
    store: Store, events: Sequence[Event], images: Sequence[Frame], surveys: Sequence[Frame], standing: Mapping[str, str] | None = None
) -> None:
    """Write the frame table and the tables of events, surveys, tiles and focus curves.

    `standing` is state and reason of a session that stands still without an event that says so.
    """
    for name, table in event_tables(events, survey_places=[(f.stack, f.index) for f in surveys]).items():
        told = standing or {} if name == ACQUISITION else {}
        store.write_table(name, table, **{str(key): value for key, value in table.attrs.items()} | dict(told))
    tables.write_frame_table(store, images)


def recover(store: Store) -> None:
    """Bring the tables of a session that was killed up to what its records hold; nothing where they are."""
    if not has_events(store):
        return
    events = EventJournal(store).events
    n_written = _rows(store, ACQUISITION)
    if len(events) == n_written and store.has(FRAME_TABLE):
        return
    counts = [sum(e.kind == kind for e in events) for kind in ("image", "survey")]
    write_acquisition(store, events, kept_frames(store, IMAGES)[: counts[0]], kept_frames(store, SURVEYS)[: counts[1]])


def _rows(store: Store, name: str) -> int:
    return int(store.root[name]["number"].shape[0]) if store.has(name) else -1
