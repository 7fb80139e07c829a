"""Tiles of a survey: what each image shows of it."""

from __future__ import annotations

from dataclasses import dataclass

from nanospa.acquire.microscope import Region
from nanospa.errors import InvalidValueError


@dataclass(frozen=True)
class Tile:
    """One tile of a survey.

    Attributes
    ----------
    index : int
        0, 1, … row by row, every second row backwards.
    row, column : int
        Place among the tiles.
    core : Region
        The tile itself; the cores of all tiles are the survey, each point once.
    region : Region
        What is scanned: the core and its padding.
    """

    index: int
    row: int
    column: int
    core: Region
    region: Region


def survey_tiles(n: int, padding: float) -> list[Tile]:
    """The n × n tiles of a survey, all scanned with one size.

    A padded tile that would leave the survey is moved inside, never cut: every image has the same pixel size.

    Parameters
    ----------
    n : int
        Tiles along each side.
    padding : float
        What is added on every side, in tile sides [-].

    Returns
    -------
    list of Tile

    Raises
    ------
    InvalidValueError
        `n` is not positive, or `padding` is negative.

    Examples
    --------
    >>> tiles = survey_tiles(2, 0.1)
    >>> tiles[1].region
    Region(y=0.0, x=0.4, height=0.6, width=0.6)
    """
    if n < 1:
        raise InvalidValueError(f"n: expected a whole number > 0, found {n!r}")
    if not padding >= 0:
        raise InvalidValueError(f"padding: expected a number >= 0, found {padding!r}")
    core = 1 / n
    side = min(1.0, core * (1 + 2 * padding))

    def start(i: int) -> float:
        return round(min(max(i * core - (side - core) / 2, 0.0), 1 - side), 12)

    tiles: list[Tile] = []
    for row in range(n):
        order = range(n) if row % 2 == 0 else range(n - 1, -1, -1)
        for column in order:
            tiles.append(
                Tile(
                    index=len(tiles),
                    row=row,
                    column=column,
                    core=Region(row * core, column * core, core, core),
                    region=Region(start(row), start(column), round(side, 12), round(side, 12)),
                )
            )
    return tiles
