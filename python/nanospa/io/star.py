"""STAR files, as RELION writes tables: blocks of named columns in plain text.

References
----------
Hall, J. Chem. Inf. Comput. Sci. 31 (1991) 326. RELION's dialect: one ``data_<name>`` a table, ``loop_``, labels numbered in a comment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import InvalidValueError, ShapeError

#: What RELION 3.1 and later put first: the tables are those of version 3.1.
VERSION = "# version 30001"


def write_star(path: str | Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Write tables as a STAR file of RELION 3.1.

    Parameters
    ----------
    path : str or Path
        ``.star`` file.
    tables : mapping of str to mapping of str to array_like of shape (row,)
        Columns by label (``rln…``) of each table by name; numbers or text.

    Raises
    ------
    ShapeError
        The columns of a table have different lengths or are not 1D.
    InvalidValueError
        A text is empty or holds white space, which RELION cannot read, or a number is not finite.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import nanospa as ns
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "optics.star"
    >>> ns.io.write_star(path, {"optics": {"rlnOpticsGroup": [1], "rlnImagePixelSize": [4.0]}})
    >>> path.read_text().split()[3:]
    ['data_optics', 'loop_', '_rlnOpticsGroup', '#1', '_rlnImagePixelSize', '#2', '1', '4.000000']
    """
    lines: list[str] = []
    for name, columns in tables.items():
        arrays = {label: np.asarray(values) for label, values in columns.items()}
        if len({array.shape for array in arrays.values()}) != 1 or next(iter(arrays.values())).ndim != 1:
            shapes = ", ".join(f"{label} {array.shape}" for label, array in arrays.items())
            raise ShapeError(f"tables[{name!r}]: expected columns of one length, found {shapes or 'none'}")
        lines += ["", VERSION, "", f"data_{name}", "", "loop_", *(f"_{label} #{i}" for i, label in enumerate(arrays, 1))]
        texts = [_texts(f"tables[{name!r}][{label!r}]", array) for label, array in arrays.items()]
        widths = [max(map(len, column), default=0) for column in texts]
        lines += [" ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in zip(*texts, strict=True)]
        lines.append("")
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _texts(name: str, values: Any) -> list[str]:
    if values.dtype.kind in "biu":
        return [str(int(value)) for value in values]
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise InvalidValueError(f"{name}: expected finite numbers, found {int((~np.isfinite(values)).sum())} that are not")
        return [f"{value:.6f}" for value in values]
    texts = [str(value) for value in values]
    for text in texts:
        if not text or any(character.isspace() for character in text):
            raise InvalidValueError(f"{name}: expected text without white space, found {text!r}")
    return texts
