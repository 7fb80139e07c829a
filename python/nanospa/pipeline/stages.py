"""What a stage does with one frame.

Runs in a worker: opens the store itself, writes its own shard, then its record, and last its journal entry.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import NanospaError, NanospaWarning
from nanospa.io import pyramid
from nanospa.io.read import read_file
from nanospa.io.records import decode_record, encode_record
from nanospa.io.store import Store
from nanospa.pipeline.fingerprint import digest
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.settings import Settings
from nanospa.pipeline.trained_model import segmented
from nanospa.schema import as_image
from nanospa.schema.store import LABELS, PARTICLE_IMAGES, TRUE_LABELS
from nanospa.segment.segment_tiled import tiled_with_report
from nanospa.segment.settings import LOCAL_THRESHOLDS, SegmentSettings

#: Columns of a record that belong to the truth table.
TRUTH_PREFIX = "truth/"

#: Side of the tiles in which large frames are segmented [px].
TILE_PX = 2048

Result = tuple[dict[str, Any], dict[str, Any]]


def run_item(stage: str, path: str, token: str, settings: str, frame: Frame, entry: int, extra: dict[str, Any]) -> dict[str, Any]:
    """Do one item of a stage; gives ``{"warnings": …}``, or ``{"kind": …, "message": …}`` where it failed."""
    try:
        store, chosen = attached(path, token), _settings(settings)
        store.journal.clear(stage, frame.row)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", NanospaWarning)
            values, columns = _STAGES[stage](store, chosen, frame, extra)
        said = [str(w.message) for w in caught if issubclass(w.category, NanospaWarning)]
        said = [*values.pop("warnings", ()), *said]
        store.journal.mark(stage, frame.row, entry, encode_record({**values, "warnings": said}, columns))
        return {"warnings": said}
    except NanospaError as error:
        return {"kind": error.kind, "message": str(error)}
    except Exception as error:
        # One bad frame must not end a run of thousands.
        return {"kind": "error", "message": f"{type(error).__name__}: {error}"}


def _bring_in(store: Store, settings: Settings, frame: Frame, extra: dict[str, Any]) -> Result:
    truth: dict[str, Any] = {}
    if extra.get("array") is not None:
        image = extra["array"]
    elif settings.simulate is not None:
        from nanospa import simulate

        made = simulate.frame(index=frame.source_frame, settings=settings.simulate)
        image = made.image
        store.stacks.write(frame.stack, frame.index, made.labels, TRUE_LABELS)
        truth = {TRUTH_PREFIX + str(name): made.table[name].to_numpy() for name in made.table}
    else:
        image = read_file(frame.source, frame.source_frame).data
    name = f"{Path(frame.source).name}[{frame.source_frame}]" if frame.source_frame else Path(frame.source).name
    image = as_image(image, name)
    said = []
    if image.min() == image.max():
        said.append(f"all pixels are {image.flat[0]}, so no particle can be found")
    kept = image.astype(store.stacks[frame.stack].dtype, copy=False)
    store.stacks.write(frame.stack, frame.index, kept)
    return {"digest": digest(kept), "warnings": said}, truth


def _segment(store: Store, settings: Settings, frame: Frame, extra: dict[str, Any]) -> Result:
    view = store.stacks.view(frame.stack, frame.index)
    if view.shape[0] * view.shape[1] > pyramid.LARGE_PX**2 and _same_in_tiles(settings.segment):
        found = tiled_with_report(view, settings=settings.segment, tile_px=TILE_PX)
    else:
        found = segmented(store.stacks.read(frame.stack, frame.index), settings.segment, extra.get("model"))
    store.stacks.write(frame.stack, frame.index, found.labels, LABELS)
    values = {
        "polarity": found.polarity,
        "threshold": None if found.threshold is None else float(found.threshold),
        "background": found.background,
        "scale_range_px": None if found.scale_range_px is None else [float(s) for s in found.scale_range_px],
        "n_particles": int(found.labels.max(initial=0)),
        "n_removed_small": int(found.n_removed_small),
        "n_removed_border": int(found.n_removed_border),
        # Of a constant image that was said when it came in.
        "warnings": [text for text in found.warnings if not text.startswith("image: every pixel")],
    }
    return values, {} if found.scores is None else {"score": np.asarray(found.scores, np.float32)}


def _same_in_tiles(settings: SegmentSettings) -> bool:
    """Whether `nanospa.segment.segment_tiled` promises the result of one piece."""
    return settings.method == "threshold" and settings.threshold not in LOCAL_THRESHOLDS


def labels_of(store: Store, frame: Frame) -> tuple[NDArray[np.int32], bool]:
    """Labels that count: edited by hand where somebody did, else those found; and whether they were edited."""
    corrected = store.stacks.corrected(frame.stack, frame.index)
    if corrected is None:
        return store.stacks.read(frame.stack, frame.index, LABELS), False
    return np.maximum(corrected, 0), True


def _measure(store: Store, settings: Settings, frame: Frame, extra: dict[str, Any]) -> Result:
    from nanospa import measure, simulate

    chosen = settings.measure
    image = store.stacks.read(frame.stack, frame.index)
    labels, corrected = labels_of(store, frame)
    table = measure.measure(
        image,
        labels,
        pixel_size_nm=frame.pixel_size_nm,
        background=chosen.background,
        saturation=chosen.saturation,
        radial_bins=chosen.radial_bins,
    )
    columns: dict[str, Any] = {str(name): variable.to_numpy() for name, variable in table.data_vars.items()}
    columns["score"] = _scores(store, frame, columns["label"], corrected)
    previous = None if extra.get("previous") is None else store.stacks.read(frame.stack, extra["previous"])
    flags = measure.frame_flags(image, previous=previous, saturation=chosen.saturation)
    values = {name: value.item() if isinstance(value, np.generic) else value for name, value in flags.items()}
    if TRUE_LABELS in store.stacks.label_names(frame.stack):
        truth = store.stacks.read(frame.stack, frame.index, TRUE_LABELS)
        matched = simulate.match(truth, labels)
        columns |= {TRUTH_PREFIX + "iou": matched.iou, TRUTH_PREFIX + "found_label": matched.found}
    return {"flags": values, "corrected": corrected, "n_particles": int(columns["label"].size)}, columns


def _scores(store: Store, frame: Frame, label: NDArray[Any], corrected: bool) -> NDArray[np.float32]:
    """Score of each particle; NaN where the method gave none or the label was edited."""
    _, columns = decode_record(store.journal.records("segment", [frame.row])[0])
    scores = columns.get("score")
    if corrected or scores is None or scores.size < label.max(initial=0):
        return np.full(label.size, np.nan, np.float32)
    return np.asarray(scores[label - 1], np.float32)


def _cut_images(store: Store, settings: Settings, block: Frame, extra: dict[str, Any]) -> Result:
    """Cut-outs of the particles `first` … `last` of the table: one shard."""
    from nanospa import measure
    from nanospa.io.chunks import write_aligned

    parts = []
    for frame, start, stop in extra["frames"]:
        image = store.stacks.read(frame.stack, frame.index)
        labels, _ = labels_of(store, frame)
        cut = measure.particle_images(image, labels, box_px=extra["box_px"], masked=settings.measure.masked)
        parts.append(cut[start:stop])
    images = np.concatenate(parts)
    write_aligned(store.root[PARTICLE_IMAGES]["image"], (extra["first"], 0, 0), images)
    return {"n": int(images.shape[0])}, {}


_STAGES: dict[str, Callable[[Store, Settings, Frame, dict[str, Any]], Result]] = {
    "input": _bring_in,
    "segment": _segment,
    "measure": _measure,
    "images": _cut_images,
}


@functools.lru_cache(maxsize=2)
def _settings(text: str) -> Settings:
    return Settings.model_validate_json(text)


@functools.lru_cache(maxsize=2)
def attached(path: str, token: str) -> Store:
    """The store, opened once a process for each token: a client gives a new one when it has made arrays or let them grow."""
    return Store.attach(path)
