"""One item's result as text: a few values and columns of a table, exact to the bit, without pickle.

A task writes its record before its journal entry; tables are made of the records in item order and can be remade at any time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import DtypeError, StoreError

_KINDS = "buif"


def encode_record(values: Mapping[str, Any], columns: Mapping[str, Any] | None = None) -> str:
    """Record of plain values (JSON) and of columns (numbers or text, first axis = row)."""
    coded = {name: _encode(name, np.asarray(column)) for name, column in (columns or {}).items()}
    return json.dumps({"values": dict(values), "columns": coded}, ensure_ascii=False, separators=(",", ":"))


def decode_record(text: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Values and columns of a record."""
    try:
        record = json.loads(text)
        return record["values"], {name: _decode(column) for name, column in record["columns"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"a record of the store is damaged ({type(error).__name__}: {error})") from error


def _encode(name: str, column: NDArray[Any]) -> dict[str, Any]:
    if column.dtype.kind in "OUT":
        return {"text": [str(value) for value in column.tolist()]}
    if column.dtype.kind not in _KINDS:
        raise DtypeError(f"column {name!r}: expected numbers or text, found dtype {column.dtype}")
    little = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<"))
    return {"dtype": little.dtype.str, "shape": list(column.shape), "base64": base64.b64encode(little.tobytes()).decode("ascii")}


def _decode(column: Mapping[str, Any]) -> NDArray[Any]:
    if "text" in column:
        return np.array([str(value) for value in column["text"]], dtype=object)
    dtype = np.dtype(column["dtype"])
    if dtype.kind not in _KINDS:
        raise ValueError(f"dtype {dtype}")
    # A copy: what comes from bytes is read-only.
    values: NDArray[Any] = np.frombuffer(base64.b64decode(column["base64"]), dtype).reshape(column["shape"]).astype(dtype.newbyteorder("="))
    return values


def stack_columns(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Columns of many records, one below the other; where a record lacks a column its rows are NaN, false or empty."""
    names: dict[str, NDArray[Any]] = {}
    for part in parts:
        for name, column in part.items():
            names.setdefault(name, column)
    return {
        name: np.concatenate([part[name] if name in part else _missing(first, _rows(part)) for part in parts])
        for name, first in names.items()
    }


def _rows(part: Mapping[str, NDArray[Any]]) -> int:
    return next((column.shape[0] for column in part.values()), 0)


def _missing(like: NDArray[Any], n: int) -> NDArray[Any]:
    shape = (n, *like.shape[1:])
    if like.dtype.kind == "O":
        return np.full(shape, "", dtype=object)
    return np.full(shape, np.nan if like.dtype.kind == "f" else 0, dtype=like.dtype)
