"""Stacks of frames in a store: one OME-Zarr image each, with its label images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError, StoreError, UnknownNameError
from nanospa.io import chunks, ome_zarr
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
    """The stacks of a store."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._arrays: dict[str, Any] = {}

    def __iter__(self) -> Any:
        if FRAMES not in self.root:
            return iter(())
        return iter([self[name] for name in sorted(name for name, _ in self.root[FRAMES].groups())])

    def __getitem__(self, name: str) -> Stack:
        array = self._array(name)
        own = self.root[f"{FRAMES}/{name}"].attrs[ATTRIBUTES]
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
        group = self.root.create_group(f"{FRAMES}/{name}")
        chunks.create_image(group, ome_zarr.ARRAY, (0, *shape), dtype, DIMS)
        group.attrs.update(
            {
                **ome_zarr.image_attributes(DIMS, pixel_size_nm, name=name),
                ATTRIBUTES: {"pixel_size_nm": pixel_size_nm, "detector": detector},
            }
        )
        return self[name]

    def ensure_labels(self, stack: str, name: str) -> None:
        """Make a label image of the stack's shape, where there is none, and list it."""
        group = self.root[f"{FRAMES}/{stack}"]
        labels = group.require_group("labels")
        if name not in labels:
            size = self[stack].pixel_size_nm
            child = labels.create_group(name)
            fill = UNCORRECTED if name == CORRECTED else 0
            chunks.create_image(child, ome_zarr.ARRAY, self._array(stack).shape, np.int32, DIMS, fill_value=fill)
            child.attrs.update(ome_zarr.label_attributes(DIMS, size, name=name))
        labels.attrs.update(ome_zarr.labels_attributes(sorted(n for n, _ in labels.groups())))

    def grow(self, stack: str, n_frames: int) -> None:
        """Make room for `n_frames` frames in the stack and all its label images."""
        names = [None, *self.label_names(stack)]
        for name in names:
            array = self._array(stack, name, fresh=True)
            if array.shape[0] < n_frames:
                array.resize((n_frames, *array.shape[1:]))
        self._arrays.clear()

    def label_names(self, stack: str) -> list[str]:
        """Names of the stack's label images."""
        group = self.root[f"{FRAMES}/{stack}"]
        return sorted(name for name, _ in group["labels"].groups()) if "labels" in group else []

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
        array = self._array(stack, labels)
        if image.shape != array.shape[1:]:
            raise ShapeError(f"image: expected shape {array.shape[1:]} of {array.path!r}, found {image.shape}")
        try:
            chunks.write_aligned(array, (index, 0, 0), np.ascontiguousarray(image, dtype=array.dtype)[None])
        except OSError as error:
            raise StoreError(f"frame {index} of {array.path!r} cannot be written ({error})") from error

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
        path = f"{FRAMES}/{stack}/{ome_zarr.ARRAY}" if labels is None else f"{FRAMES}/{stack}/labels/{labels}/{ome_zarr.ARRAY}"
        if fresh or path not in self._arrays:
            if path not in self.root:
                raise UnknownNameError(f"expected {path!r} in the store, found no such array")
            self._arrays[path] = self.root[path]
        return self._arrays[path]


def kinds(stacks: Sequence[Stack]) -> str:
    """Stacks in words, for messages."""
    return "; ".join(f"{s.name}: {s.n_frames} × {s.shape[0]} × {s.shape[1]} {s.dtype}" for s in stacks)
