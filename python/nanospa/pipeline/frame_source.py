"""From files, arrays or a simulation to the rows of the frame table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import InvalidValueError, NanospaError, ShapeError, StoreError
from nanospa.io.pixel_size import reconcile
from nanospa.io.read import describe, read_file
from nanospa.io.store import Store
from nanospa.pipeline.fingerprint import digest
from nanospa.pipeline.settings import Settings
from nanospa.pipeline.summary import Failure
from nanospa.schema import as_image, pixel_size_pair

#: Source of a simulated frame: this and its number.
SIMULATED = "simulated/"
#: Source of a frame that came as an array: this and its number.
ARRAY = "array/"
#: Source of a frame that a microscope acquired: this and its number.
ACQUIRED = "acquired/"


@dataclass(frozen=True)
class Frame:
    """A frame: where it comes from and where it goes."""

    row: int
    stack: str
    index: int
    source: str
    source_frame: int
    shape: tuple[int, int]
    pixel_size_nm: tuple[float, float] | None
    #: What tells that the source has changed.
    fingerprint: str = ""


@dataclass(frozen=True)
class Found:
    """A frame of a source, before it has a place in the store."""

    source: str
    source_frame: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    pixel_size_nm: tuple[float, float] | None
    fingerprint: str
    array: Any = None


def stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype a frame is kept in: one the kernels take that holds every value."""
    if dtype.name in ("uint8", "uint16", "float32", "float64"):
        return dtype.newbyteorder("=")
    return np.dtype({"bool": "uint8", "int8": "float32", "int16": "float32", "float16": "float32"}.get(dtype.name, "float64"))


def simulated(settings: Settings) -> Iterator[Found]:
    """Frames of the settings' simulation."""
    chosen = settings.simulate
    if chosen is None:
        return
    size = (chosen.pixel_size_nm, chosen.pixel_size_nm)
    description = chosen.model_dump_json(exclude={"n_frames"})
    for i in range(chosen.n_frames):
        yield Found(f"{SIMULATED}{i}", i, (chosen.shape[0], chosen.shape[1]), np.dtype("uint16"), size, description)


def of_arrays(images: Any, settings: Settings) -> Iterator[Found]:
    """Frames of a DataArray, an array, or a sequence of arrays; their shapes may differ."""
    given = settings.input.pixel_size_nm
    size = pixel_size_pair(given)
    attributes = getattr(images, "attrs", {})
    if "pixel_size_nm" in attributes:
        size = reconcile(pixel_size_pair(attributes["pixel_size_nm"]), given, source="images")
    if isinstance(images, (list, tuple)):
        arrays: Any = images
    else:
        array = np.asarray(images)
        if array.ndim not in (2, 3):
            raise ShapeError(f"images: expected (y, x) or (frame, y, x), found shape {array.shape}")
        arrays = array[None] if array.ndim == 2 else array
    for i, each in enumerate(arrays):
        own = getattr(each, "attrs", {}).get("pixel_size_nm")
        image = as_image(each, f"images[{i}]", finite=False)
        if image.size == 0:
            raise ShapeError(f"images[{i}]: expected pixels, found shape {image.shape}")
        calibrated = size if own is None else reconcile(pixel_size_pair(own), given, source=f"images[{i}]")
        shape: tuple[int, int] = (int(image.shape[0]), int(image.shape[1]))
        yield Found(f"{ARRAY}{i}", i, shape, stored_dtype(image.dtype), calibrated, digest(image), image)


def of_files(paths: Sequence[Path], settings: Settings, failed: list[Failure]) -> Iterator[Found]:
    """Frames of files; a file that cannot be used becomes a failure, not an end."""
    for path in paths:
        try:
            described = describe(path)
            if described.dims[0] == "z":
                raise ShapeError(f"{path}: expected an image or a stack of frames, found a volume of shape {described.shape}")
            size = reconcile(described.pixel_size_nm, settings.input.pixel_size_nm, source=str(path))
            state = path.stat()
        except NanospaError as error:
            failed.append(Failure("input", -1, str(path), error.kind, str(error)))
            continue
        dtype = stored_dtype(described.dtype)
        print_of = f"{state.st_size}:{state.st_mtime_ns}"
        for i in range(described.n_frames):
            yield Found(str(path.resolve()), i, described.frame_shape, dtype, size, print_of)


def placed(store: Store, found: Iterator[Found], detector: str) -> tuple[list[Frame], dict[int, Any]]:
    """Give every frame a row and a place in a stack; frames that the store has keep theirs. Also the arrays by row."""
    known = {(f.source, f.source_frame): f for f in frames_of(store)}
    everything = list(found)
    # Before anything is written.
    _refuse_mixture(store, set(known), {(each.source, each.source_frame) for each in everything})
    frames = list(known.values())
    lengths = {stack.name: stack.n_frames for stack in store.stacks}
    kinds: dict[Any, str] = {}
    arrays: dict[int, Any] = {}
    for each in everything:
        key = (each.source, each.source_frame)
        kind = (each.shape, str(each.dtype), each.pixel_size_nm, detector)
        if kind not in kinds:
            kinds[kind] = store.stacks.ensure(*kind).name
            lengths.setdefault(kinds[kind], 0)
        old = known.get(key)
        row = len(frames) if old is None else old.row
        if old is not None and old.stack == kinds[kind]:
            index = old.index
        else:
            index = lengths[kinds[kind]]
            lengths[kinds[kind]] += 1
        frame = Frame(row, kinds[kind], index, *key, each.shape, each.pixel_size_nm, each.fingerprint)
        if old is None:
            frames.append(frame)
            known[key] = frame
        else:
            frames[row] = frame
        if each.array is not None:
            arrays[row] = each.array
    for name, n in lengths.items():
        store.stacks.grow(name, n)
    return frames, arrays


def _refuse_mixture(store: Store, known: set[tuple[str, int]], coming: set[tuple[str, int]]) -> None:
    """Frames without a name of their own, simulated or given: what the store has of them must come again, and nothing else."""
    for prefix, what in ((SIMULATED, "simulated frames"), (ARRAY, "frames given as arrays"), (ACQUIRED, "acquired frames")):
        of_kind = {key for key in known | coming if key[0].startswith(prefix)}
        if of_kind and (of_kind - coming or (known | coming) - of_kind):
            raise StoreError(
                f"{store.path}: the store holds {len(known)} frames, and this run would mix {what} with others; give another --store"
            )


def frames_of(store: Store) -> list[Frame]:
    """Frames of a store's frame table."""
    from nanospa.schema.store import FRAME_TABLE

    if not store.has(FRAME_TABLE):
        return []
    table = store.read_table(FRAME_TABLE)
    names = ("stack", "index", "source", "source_frame", "height_px", "width_px", "pixel_size_y_nm", "pixel_size_x_nm", "fingerprint")
    missing = [name for name in names if name not in table]
    if missing:
        raise InvalidValueError(
            f"{store.path}: expected the frame table's columns {', '.join(names)}, found none named {', '.join(missing)}"
        )
    frames = []
    for row, values in enumerate(zip(*(table[name].to_numpy() for name in names), strict=True)):
        stack, index, source, number, height, width, y, x, print_of = values
        size = (float(y), float(x)) if y > 0 and x > 0 else None
        frames.append(Frame(row, str(stack), int(index), str(source), int(number), (int(height), int(width)), size, str(print_of)))
    return frames


def pixels(source: str, source_frame: int, settings: Settings) -> Any:
    """Pixels of a frame that is not in a store yet."""
    if settings.simulate is not None and source.startswith(SIMULATED):
        from nanospa import simulate

        return simulate.frame(index=source_frame, settings=settings.simulate).image
    return as_image(read_file(source, source_frame).data, Path(source).name)
