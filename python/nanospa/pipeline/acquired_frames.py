"""Frames of an acquisition: into the store as they come, and their rows back from the records.

Rows stay in the records while the session runs: writing the frame table anew for every frame would be quadratic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire import Event
from nanospa.acquire import Frame as Recorded
from nanospa.errors import StoreError
from nanospa.io.records import decode_record, encode_record
from nanospa.io.store import Store
from nanospa.io.store_stacks import Stacks
from nanospa.pipeline.fingerprint import digest, entry
from nanospa.pipeline.frame_source import ACQUIRED, Frame, stored_dtype
from nanospa.pipeline.stages import TRUTH_PREFIX
from nanospa.schema import as_image
from nanospa.schema import frames as frame_schema
from nanospa.schema.store import TRUE_LABELS

#: Journal stages of images and of surveys; an item is an image, a survey.
IMAGES, SURVEYS = "input", "survey"
#: Frames that stacks and journals grow by.
BLOCK = 64
#: Values of an image's event that become columns of the frame table.
COLUMNS = (
    *(c for c in frame_schema.ORIGIN if c.name in ("stage_y_um", "stage_x_um", "defocus_nm", "dwell_time_s", "time")),
    *frame_schema.ACQUIRED,
)

Truth = Callable[[Recorded], tuple[Any, Any]]


class AcquiredFrames:
    """Images and surveys of the session of a store, `images` and `surveys` in order.

    `truth` gives labels and a table of what is truly in a frame, where the microscope is a simulation; `labels` are the label images
    that a stack of images gets.
    """

    def __init__(self, store: Store, n_images: int, n_surveys: int, truth: Truth | None = None, labels: Sequence[str] = ()) -> None:
        self.store, self.truth, self.labels = store, truth, labels
        self.images = kept_frames(store, IMAGES)[:n_images]
        self.surveys = kept_frames(store, SURVEYS)[:n_surveys]
        if (len(self.images), len(self.surveys)) != (n_images, n_surveys):
            raise StoreError(
                f"{store.path}: expected {n_images} images and {n_surveys} surveys as the events say, "
                f"found {len(self.images)} and {len(self.surveys)}: the store is damaged"
            )
        #: Changes whenever arrays have grown: who has them open must open them again.
        self.generation = 0
        self._room: dict[tuple[str, str], int] = {}
        self._kinds: dict[Any, str] = {}

    def keep(self, frame: Recorded, event: Event) -> None:
        """Write a frame and what is known of it; when this returns it outlives the process."""
        if event.kind == "survey":
            self.surveys.append(self._kept(SURVEYS, self.store.surveys, frame, event, len(self.surveys)))
        elif event.kind == "image":
            self.images.append(self._kept(IMAGES, self.store.stacks, frame, event, len(self.images)))

    def survey_image(self, survey: int) -> NDArray[Any]:
        """Image of a survey, shape (y, x)."""
        frame = self.surveys[survey]
        return self.store.surveys.read(frame.stack, frame.index)

    def forget_after(self, n_images: int, n_surveys: int) -> None:
        """Forget a frame whose event was not written: it comes again."""
        del self.images[n_images:], self.surveys[n_surveys:]

    def trim(self) -> None:
        """Take back the room for frames that have not come."""
        for stage, stacks, kept in ((IMAGES, self.store.stacks, self.images), (SURVEYS, self.store.surveys, self.surveys)):
            for stack in list(stacks):
                stacks.trim(stack.name, sum(f.stack == stack.name for f in kept))
            self.store.journal.trim(stage, len(kept))
        self._room.clear()
        self.generation += 1

    def _kept(self, stage: str, stacks: Stacks, recorded: Recorded, event: Event, row: int) -> Frame:
        image = as_image(recorded.data, f"{event.kind} {row}")
        dtype = stored_dtype(image.dtype)
        image = np.ascontiguousarray(image, dtype)
        y, x = recorded.pixel_size
        # Rounded: pixel sizes that differ in the last bit are one stack.
        size = (float(f"{y * 1e9:.9g}"), float(f"{x * 1e9:.9g}"))
        shape = (int(image.shape[0]), int(image.shape[1]))
        kind = (shape, str(dtype), size, recorded.detector)
        if (stage, kind) not in self._kinds:
            self._kinds[stage, kind] = stacks.ensure(*kind).name
            for name in self.labels if stage == IMAGES else ():
                stacks.ensure_labels(self._kinds[stage, kind], name)
        stack = self._kinds[stage, kind]
        kept = self.images if stage == IMAGES else self.surveys
        index = sum(f.stack == stack for f in kept)
        self._make_room(stage, stacks, stack, index, row)
        made = digest(image)
        frame = Frame(row, stack, index, f"{ACQUIRED}{row}" if stage == IMAGES else f"{SURVEYS}/{row}", 0, shape, size, made)
        journal = self.store.journal
        journal.clear(stage, row)
        columns: dict[str, Any] = {}
        if self.truth is not None:
            labels, table = self.truth(recorded)
            columns = {TRUTH_PREFIX + str(name): np.asarray(table[name]) for name in table}
            if stage == IMAGES:
                stacks.write(stack, index, np.asarray(labels), TRUE_LABELS)
        stacks.write(stack, index, image)
        said = [f"all pixels are {image.flat[0]}, so no particle can be found"] if image.min() == image.max() else []
        values = {"digest": made, "warnings": said, "place": _place(frame), "acquired": _columns(event.values)}
        journal.mark(stage, row, entry("input", made, 0, stack, index), encode_record(values, columns))
        return frame

    def _make_room(self, stage: str, stacks: Stacks, stack: str, index: int, row: int) -> None:
        if index >= self._room.get((stage, stack), 0):
            self._room[stage, stack] = index + BLOCK
            stacks.grow(stack, index + BLOCK)
            self.generation += 1
        if row >= self._room.get((stage, ""), 0):
            self._room[stage, ""] = row + BLOCK
            self.store.journal.ensure(stage, row + BLOCK)


def kept_frames(store: Store, stage: str) -> list[Frame]:
    """Images or surveys of a session that the records know, in order."""
    done = store.journal.entries(stage)
    if not done.any():
        return []
    found = []
    # A killed process may have left room for more records than entries.
    for row, (is_done, text) in enumerate(zip(done, store.journal.records(stage), strict=False)):
        values = decode_record(text)[0] if is_done and text else {}
        if "place" not in values:
            break
        place = values["place"]
        size = None if place["pixel_size_nm"] is None else tuple(place["pixel_size_nm"])
        shape = (int(place["shape"][0]), int(place["shape"][1]))
        found.append(Frame(row, place["stack"], place["index"], place["source"], 0, shape, size, values["digest"]))
    return found


def _place(frame: Frame) -> dict[str, Any]:
    return {
        "stack": frame.stack,
        "index": frame.index,
        "source": frame.source,
        "shape": list(frame.shape),
        "pixel_size_nm": None if frame.pixel_size_nm is None else list(frame.pixel_size_nm),
    }


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: values[column.name] for column in COLUMNS if column.name in values}
