"""Stacks of frames in a store: one OME-Zarr image each, with its label images; large ones as pyramids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError, StoreError, UnknownNameError
from nanospa.io import chunks, ome_zarr, pyramid
from nanospa.schema.store import ATTRIBUTES, CORRECTED, FRAMES, UNCORRECTED

DIMS = ("frame", "y", "x")


@dataclass(frozen=True)
class Stack:
    """What the frames of a stack have in common."""

    name: str
    n_frames: int
    shape: tuple[int, int]
    dtype: str
    pixel_size_nm: tuple[float, float] | None
    detector: str = ""


class Stacks:
    """The stacks of a store that lie in one of its groups."""

    def __init__(self, root: Any, group: str = FRAMES) -> None:
        self.root = root
        self.group = group
        self._arrays: dict[str, list[Any]] = {}

    def __iter__(self) -> Any:
        if self.group not in self.root:
            return iter(())
        # The attributes are written last: a stack without them was being made when a process was killed, and holds nothing.
        return iter([self[name] for name, group in sorted(self.root[self.group].groups()) if ATTRIBUTES in group.attrs])

    def __getitem__(self, name: str) -> Stack:
        array = self._array(name)
        own = self.root[f"{self.group}/{name}"].attrs[ATTRIBUTES]
        size = own["pixel_size_nm"]
        shape: tuple[int, int] = (int(array.shape[1]), int(array.shape[2]))
        return Stack(name, int(array.shape[0]), shape, str(array.dtype), None if size is None else tuple(size), own["detector"])

    def ensure(self, shape: tuple[int, int], dtype: Any, pixel_size_nm: tuple[float, float] | None, detector: str = "") -> Stack:
        """Stack for frames of this kind; made, with no frame, where there is none."""
        dtype = str(np.dtype(dtype))
        for stack in self:
            if (stack.shape, stack.dtype, stack.pixel_size_nm, stack.detector) == (tuple(shape), dtype, pixel_size_nm, detector):
                return stack  # type: ignore[no-any-return]
        name = f"stack_{sum(1 for _ in self):03d}"
        group = self.root.create_group(f"{self.group}/{name}", overwrite=True)
        n_levels = _create(group, (0, *shape), dtype)
        group.attrs.update(
            {
                **ome_zarr.image_attributes(DIMS, pixel_size_nm, name=name, n_levels=n_levels),
                ATTRIBUTES: {"pixel_size_nm": pixel_size_nm, "detector": detector},
            }
        )
        return self[name]

    def ensure_labels(self, stack: str, name: str) -> None:
        """Make a label image of the stack's shape, where there is none, and list it."""
        group = self.root[f"{self.group}/{stack}"]
        labels = group.require_group("labels")
        # The attributes are written last.
        if name not in labels or not dict(labels[name].attrs):
            size = self[stack].pixel_size_nm
            child = labels.create_group(name, overwrite=True)
            fill = UNCORRECTED if name == CORRECTED else 0
            n_levels = _create(child, self._array(stack).shape, np.int32, fill_value=fill)
            child.attrs.update(ome_zarr.label_attributes(DIMS, size, name=name, n_levels=n_levels))
        labels.attrs.update(ome_zarr.labels_attributes(sorted(n for n, _ in labels.groups())))

    def grow(self, stack: str, n_frames: int) -> None:
        """Make room for `n_frames` frames in the stack and all its label images."""
        names = [None, *self.label_names(stack)]
        for name in names:
            for array in self._levels(stack, name, fresh=True):
                if array.shape[0] < n_frames:
                    array.resize((n_frames, *array.shape[1:]))
        self._arrays.clear()

    def mend(self) -> None:
        """Give image and label images one length again, where a process was killed while it changed them one after the other."""
        for stack in self:
            lengths = {a.shape[0] for name in (None, *self.label_names(stack.name)) for a in self._levels(stack.name, name, fresh=True)}
            if len(lengths) > 1:
                # The longest: what is missing elsewhere is empty, and nothing is lost.
                self.grow(stack.name, max(lengths))

    def trim(self, stack: str, n_frames: int) -> None:
        """Take away the room for more than `n_frames` frames that `grow` has made."""
        for name in (None, *self.label_names(stack)):
            for array in self._levels(stack, name, fresh=True):
                if array.shape[0] > n_frames:
                    array.resize((n_frames, *array.shape[1:]))
        self._arrays.clear()

    def label_names(self, stack: str) -> list[str]:
        """Names of the stack's label images."""
        group = self.root[f"{self.group}/{stack}"]
        return sorted(name for name, child in group["labels"].groups() if dict(child.attrs)) if "labels" in group else []

    def read(self, stack: str, index: int, labels: str | None = None) -> NDArray[Any]:
        """One frame, or its label image of the name `labels`."""
        array = self._array(stack, labels)
        if not 0 <= index < array.shape[0]:
            raise StoreError(f"index: expected a frame 0 … {array.shape[0] - 1} of {stack!r}, found {index}")
        try:
            return np.asarray(array[index])
        except (ValueError, OSError, RuntimeError) as error:
            raise StoreError(f"frame {index} of {array.path!r} is damaged ({type(error).__name__}: {error})") from error

    def write(self, stack: str, index: int, image: NDArray[Any], labels: str | None = None) -> None:
        """Write one frame, or its label image."""
        arrays = self._levels(stack, labels)
        array = arrays[0]
        if image.shape != array.shape[1:]:
            raise ShapeError(f"image: expected shape {array.shape[1:]} of {array.path!r}, found {image.shape}")
        try:
            for number, each in enumerate(arrays):
                if number:
                    image = pyramid.halved(image, labels=labels is not None)
                chunks.write_aligned(each, (index, 0, 0), np.ascontiguousarray(image, dtype=array.dtype)[None])
        except OSError as error:
            raise StoreError(f"frame {index} of {array.path!r} cannot be written ({error})") from error

    def view(self, stack: str, index: int) -> FrameView:
        """One frame to be read in parts."""
        return FrameView(self._array(stack), index)

    def corrected(self, stack: str, index: int) -> NDArray[np.int32] | None:
        """Labels of a frame as edited by hand; None where nobody has."""
        if CORRECTED not in self.label_names(stack):
            return None
        # Not from the cache: an editor may have made or replaced the array meanwhile.
        array = self._array(stack, CORRECTED, fresh=True)
        if index >= array.shape[0]:
            return None
        labels = self.read(stack, index, CORRECTED)
        return labels if np.any(labels != array.fill_value) else None

    def _array(self, stack: str, labels: str | None = None, *, fresh: bool = False) -> Any:
        return self._levels(stack, labels, fresh=fresh)[0]

    def _levels(self, stack: str, labels: str | None = None, *, fresh: bool = False) -> list[Any]:
        """Arrays of an image or label image, the largest first."""
        path = f"{self.group}/{stack}" if labels is None else f"{self.group}/{stack}/labels/{labels}"
        if fresh or path not in self._arrays:
            group = self.root.get(path, {})
            if ome_zarr.ARRAY in group:
                found = [group[ome_zarr.ARRAY]]
            else:
                # The image knows its own levels: the limit may have been another when it was made.
                numbers = itertools.takewhile(lambda n: ome_zarr.level_path(n, 2) in group, itertools.count())
                found = [group[ome_zarr.level_path(n, 2)] for n in numbers]
            if not found:
                raise UnknownNameError(f"expected {path}/{ome_zarr.ARRAY!r} in the store, found no such array")
            self._arrays[path] = found
        return self._arrays[path]


class FrameView:
    """A frame of a stack that is read in parts: shape, dtype and slices, as an array has them."""

    def __init__(self, array: Any, index: int) -> None:
        self._array, self._index = array, index
        self.shape: tuple[int, int] = (int(array.shape[1]), int(array.shape[2]))
        self.dtype = np.dtype(array.dtype)

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[Any]:
        try:
            return np.asarray(self._array[(self._index, *key)])
        except (ValueError, OSError, RuntimeError) as error:
            raise StoreError(f"frame {self._index} of {self._array.path!r} is damaged ({type(error).__name__}: {error})") from error


def _create(group: Any, shape: Sequence[int], dtype: Any, *, fill_value: int | float = 0) -> int:
    """Make the arrays of an image (frame, y, x), and give the number of levels."""
    shapes = pyramid.level_shapes(shape[1:])
    for number, level in enumerate(shapes):
        # In groups of their own: xarray wants one size a group.
        parent = group if len(shapes) == 1 else group.create_group(f"scale{number}")
        chunks.create_image(parent, ome_zarr.ARRAY, (shape[0], *level), dtype, DIMS, fill_value=fill_value)
    return len(shapes)


def kinds(stacks: Sequence[Stack]) -> str:
    """Stacks in words, for messages."""
    return "; ".join(f"{s.name}: {s.n_frames} × {s.shape[0]} × {s.shape[1]} {s.dtype}" for s in stacks)
