"""The search for the shape: many starts, their basins, and the closure of the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from nanospa._threads import map_items
from nanospa.reconstruct.basins import basins
from nanospa.reconstruct.closure import closure
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.starts import Model, start

#: Distinct end models that closure begins from, and that are refined and compared.
BEST = 3


@dataclass(frozen=True)
class Found:
    """What the search gives.

    Attributes
    ----------
    basins : list of Model
        Best model of each basin, best first.
    starts : list of Model
        End model of each start.
    start_basin : list of int
        Basin of each start.
    """

    basins: list[Model]
    starts: list[Model]
    start_basin: list[int]


def search(
    box: SearchBox,
    ball_radius_px: float,
    *,
    n_starts: int,
    seed: int,
    map: Callable[..., Iterable[Any]],
    progress: Callable[[float], None] = lambda share: None,
) -> Found:
    """Starts, basins and closure at one box; `progress` is told the share that is done."""
    # Made once, before threads ask for them.
    _ = box.rings
    ended: list[Model] = []
    for model in map(partial(start, box, ball_radius_px, seed), range(n_starts)):
        ended.append(model)
        progress(0.7 * len(ended) / n_starts)
    distinct, _ = basins(ended, box)
    seen = list(ended)
    for i, found in enumerate(map_items(partial(closure, box), distinct[:BEST])):
        seen += found
        progress(0.7 + 0.3 * (i + 1) / BEST)
    every, number = basins(seen, box)
    return Found(every, ended, number[:n_starts])
