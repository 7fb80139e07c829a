"""Where the stage goes: a serpentine raster over a range of positions."""

from __future__ import annotations

from dataclasses import dataclass

from nanospa.errors import InvalidValueError


@dataclass(frozen=True)
class Position:
    """One position of a raster.

    Attributes
    ----------
    index : int
        0, 1, … in the order of the raster.
    row, column : int
        Place in the raster's grid.
    y_um, x_um : float
        Stage position [µm].
    """

    index: int
    row: int
    column: int
    y_um: float
    x_um: float


def serpentine(y_um: tuple[float, float], x_um: tuple[float, float], step_um: float) -> list[Position]:
    """Grid positions from the minimum to at most the maximum; every second row runs backwards.

    Parameters
    ----------
    y_um, x_um : (float, float)
        Lowest and highest position [µm].
    step_um : float
        Distance of neighbours [µm].

    Returns
    -------
    list of Position

    Raises
    ------
    InvalidValueError
        `step_um` is not positive.

    Examples
    --------
    >>> [(p.row, p.column) for p in serpentine((0, 1), (0, 2), 1)]
    [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]
    """
    if not step_um > 0:
        raise InvalidValueError(f"step_um: expected a number > 0, found {step_um!r}")
    rows, columns = _along(y_um, step_um), _along(x_um, step_um)
    positions: list[Position] = []
    for row, y in enumerate(rows):
        order = range(len(columns)) if row % 2 == 0 else range(len(columns) - 1, -1, -1)
        positions += [Position(len(positions) + i, row, column, y, columns[column]) for i, column in enumerate(order)]
    return positions


def _along(limits: tuple[float, float], step: float) -> list[float]:
    low, high = limits
    # A range of a whole number of steps keeps its last position in spite of rounding.
    n = int((high - low) / step + 1e-6) + 1
    return [low + i * step for i in range(n)]
