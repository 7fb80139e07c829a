"""The events of an acquisition in a store's journal: what the session can be replayed from."""

from __future__ import annotations

from nanospa.acquire import Event
from nanospa.io.records import decode_record, encode_record
from nanospa.io.store import Store
from nanospa.pipeline.fingerprint import entry

#: Stage of the journal; its items are the events.
STAGE = "acquire"
#: Events the journal grows by: its length is metadata, which is not to be written for every event.
BLOCK = 256


class EventJournal:
    """Events of the acquisition of a store, one journal item each."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.events: list[Event] = _read(store)
        # Whoever wrote before may have been killed while the journal grew: room is made anew before the first event.
        self._room = 0

    @property
    def over(self) -> bool:
        """Whether the session has come to its end."""
        return bool(self.events) and self.events[-1].kind == "end"

    def append(self, event: Event) -> None:
        """Write the next event; when this returns it outlives the process, though not at once a power cut (it is not fsynced)."""
        number = len(self.events)
        if number >= self._room:
            self._room = number + BLOCK
            self.store.journal.ensure(STAGE, self._room)
        record = encode_record({"number": number, "kind": event.kind, "values": dict(event.values), "state": dict(event.state)})
        self.store.journal.mark(STAGE, number, entry(STAGE, number), record)
        self.events.append(event)

    def trim(self) -> None:
        """Take back the room for events that have not come."""
        self._room = 0
        self.store.journal.trim(STAGE, len(self.events))


def has_events(store: Store) -> bool:
    """Whether the frames of a store were acquired, or are going to be."""
    return STAGE in store.journal.stages()


def _read(store: Store) -> list[Event]:
    done = store.journal.entries(STAGE)
    if not done.any():
        return []
    # Events are written one after the other: those before the first that is missing are all.
    n = int(done.size if done.all() else (done == 0).argmax())
    found = [decode_record(text)[0] for text in store.journal.records(STAGE)[:n]]
    return [Event(number=values["number"], kind=values["kind"], values=values["values"], state=values["state"]) for values in found]
