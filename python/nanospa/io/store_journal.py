"""Journal of a store: per stage and item a hash of everything its result depends on, and the record of the result.

0 = not done. An entry is written last: what the journal holds is complete. For the same reason the records grow before the entries and
shrink after them: whenever a process is killed, there are at least as many records as entries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import StoreError
from nanospa.io.chunks import ZSTD_LEVEL
from nanospa.schema.store import JOURNAL, RECORDS


class Journal:
    """The journal and the records of a store."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._arrays: dict[str, Any] = {}

    def ensure(self, stage: str, n_items: int) -> None:
        """Make room for `n_items` items of a stage."""
        from zarr.codecs import Crc32cCodec, ZstdCodec

        for group, dtype in ((RECORDS, str), (JOURNAL, np.dtype("uint64"))):
            parent = self.root.require_group(group)
            if stage not in parent:
                parent.create_array(
                    stage,
                    shape=(n_items,),
                    chunks=(1,),
                    dtype=dtype,
                    compressors=[ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()],
                    # Each its own: stages that grow while a session runs are not of one length.
                    dimension_names=[f"{stage}_{'item' if group == JOURNAL else 'record'}"],
                )
            elif parent[stage].shape[0] < n_items:
                parent[stage].resize((n_items,))
        self._arrays.clear()

    def trim(self, stage: str, n_items: int) -> None:
        """Take away the room for more than `n_items` items of a stage."""
        for group in (JOURNAL, RECORDS):
            array = self.root.get(f"{group}/{stage}")
            if array is not None and array.shape[0] > n_items:
                array.resize((n_items,))
        self._arrays.clear()

    def forget(self, stage: str) -> None:
        """Drop a stage: its items count as not done."""
        for group in (JOURNAL, RECORDS):
            if group in self.root and stage in self.root[group]:
                del self.root[group][stage]
        self._arrays.clear()

    def stages(self) -> list[str]:
        """Stages the journal knows."""
        return sorted(name for name, _ in self.root[JOURNAL].arrays()) if JOURNAL in self.root else []

    def entries(self, stage: str) -> NDArray[np.uint64]:
        """Hash of every item of a stage; 0 = not done."""
        if f"{JOURNAL}/{stage}" not in self.root:
            return np.zeros(0, np.uint64)
        return np.asarray(self._read(f"{JOURNAL}/{stage}", slice(None)), dtype=np.uint64)

    def records(self, stage: str, items: Any = None) -> list[str]:
        """Records of a stage's items, all by default; empty text where there is none."""
        array = self._array(f"{RECORDS}/{stage}")
        if items is None:
            return [str(text) for text in self._read(array.path, slice(None))]
        return [str(self._read(array.path, int(item))) for item in items]

    def mark(self, stage: str, item: int, entry: int, record: str) -> None:
        """Write an item's record, and then that it is done."""
        try:
            self._array(f"{RECORDS}/{stage}")[item] = record
            self._array(f"{JOURNAL}/{stage}")[item] = np.uint64(entry)
        except OSError as error:
            raise StoreError(f"journal of {stage!r}, item {item}: cannot be written ({error})") from error

    def clear(self, stage: str, item: int) -> None:
        """An item's result is going to be replaced: until that is done it counts as not done."""
        if self._array(f"{JOURNAL}/{stage}")[item] != 0:
            self._array(f"{JOURNAL}/{stage}")[item] = np.uint64(0)

    def _array(self, path: str) -> Any:
        path = path.lstrip("/")
        if path not in self._arrays:
            self._arrays[path] = self.root[path]
        return self._arrays[path]

    def _read(self, path: str, index: Any) -> Any:
        try:
            return self._array(path)[index]
        except (ValueError, OSError, RuntimeError) as error:
            raise StoreError(f"{path}: damaged ({type(error).__name__}: {error})") from error
