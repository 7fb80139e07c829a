"""The frame table as text."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanospa.report.quantity import text, title
from nanospa.report.run_view import RunView

#: Rows of the frame table in the report.
MOST_ROWS = 200


def frame_rows(view: RunView) -> dict[str, Any] | None:
    """Frame table; columns without a single value are left out.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict or None
        ``head``, ``rows``, ``caption``; None where there is no frame table.
    """
    table = view.frame_table
    if table is None:
        return None
    names = [str(name) for name, variable in table.data_vars.items() if variable.dims == ("frame",) and _has_values(variable.values)]
    n = min(MOST_ROWS, int(table.sizes["frame"]))
    columns = [[_cell(v) for v in table[name].values[:n]] for name in names]
    caption = f"{n:,} of {table.sizes['frame']:,} frames; the store has all" if n < table.sizes["frame"] else f"{n:,} frames"
    return {
        "head": ["frame", *(title(table, name) for name in names)],
        "rows": [[str(i), *c] for i, c in enumerate(zip(*columns, strict=True))],
        "caption": caption,
    }


def _cell(value: Any) -> str:
    # The end of a path is what tells frames apart.
    written = text(value)
    return written if len(written) <= 60 else "…" + written[-59:]


def _has_values(values: Any) -> bool:
    if values.dtype.kind == "f":
        return bool(np.isfinite(values).any())
    return values.dtype.kind in "biu" or any(str(v) for v in values)
