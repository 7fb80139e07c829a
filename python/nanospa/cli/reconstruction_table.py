"""The reconstructions of a store as a table of text, truth beside where it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def reconstruction_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines: a row of each cluster that was reconstructed or tried."""
    if not rows:
        return ["3D          no cluster was reconstructed"]
    titles = ["cluster", "images", "symmetry", "volume nm³", "sphericity", "resolution nm", "correlation", "verdict", "flags"]
    cells = [_cells(row) for row in rows]
    truth = [_truth(row) for row in rows]
    if any(truth):
        titles.insert(4, "truth")
        for row, text in zip(cells, truth, strict=True):
            row.insert(4, text)
    if not any(row[-1] for row in cells):
        titles.pop()
        cells = [row[:-1] for row in cells]
    widths = [max(len(title), *(len(row[i]) for row in cells)) for i, title in enumerate(titles)]
    # Numbers to the right, words to the left.
    lines = []
    words = {"symmetry", "truth", "verdict", "flags"}
    for row in (titles, *cells):
        texts = (text.ljust(n) if title in words else text.rjust(n) for text, n, title in zip(row, widths, titles, strict=True))
        lines.append("  ".join(texts).rstrip())
    if any(row["verdict"] == "under-determined" for row in rows):
        lines.append("under-determined: fewer usable images than reconstruct.min_images; --set reconstruct.min_images=N tries all the same")
    return lines


def _cells(row: Mapping[str, Any]) -> list[str]:
    z = row["margin_z"]
    return [
        str(row["cluster"]),
        str(row["n_images"]),
        row["symmetry"] if row["verdict"] != "sphere" else "–",
        _number(row["mean_volume_nm3"], ".0f"),
        _number(row["sphericity"], ".3f"),
        _number(row["resolution_nm"], ".2f"),
        _number(row["mean_correlation"], ".3f"),
        row["verdict"] + (f" (z {z:.1f})" if _known(z) and row["verdict"] in ("confident", "doubtful", "not determined") else ""),
        row["flags"],
    ]


def _truth(row: Mapping[str, Any]) -> str:
    """Shape and mean volume of the true particles, and how far the volume found is from it."""
    if not row.get("truth_shape"):
        return ""
    true, found = row["truth_volume_nm3"], row["mean_volume_nm3"]
    off = f", {100 * (found / true - 1):+.1f} %" if _known(found) and _known(true) and true > 0 else ""
    return f"{row['truth_shape']} {_number(true, '.0f')}{off}"


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _number(value: Any, form: str) -> str:
    return format(value, form) if _known(value) else "–"
