"""Microscopes by name: one explicit table, imported lazily.

Packages outside nanospa add drivers through the entry-point group ``nanospa.microscopes``: the entry point's name is the driver's name, it
points at a class (or any callable that takes options as keywords) that gives a `Microscope`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

# The package of drivers has to be loaded before `drivers` is bound in `nanospa.acquire`, or loading it later would bind the package there.
import nanospa.acquire.drivers as _package  # noqa: F401
from nanospa.acquire.microscope import Microscope
from nanospa.errors import InvalidValueError, MissingExtraError, SettingsError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

ENTRY_POINTS = "nanospa.microscopes"


@dataclass(frozen=True)
class DriverEntry:
    """Entry of a driver of nanospa's own: where it is, and the extra and the module that it needs."""

    name: str
    description: str
    module: str
    factory: str
    extra: str | None = None
    requires: str | None = None

    def load(self) -> Callable[..., Microscope]:
        """The callable that makes the microscope."""
        if self.requires is not None:
            try:
                importlib.import_module(self.requires)
            except ImportError as error:
                raise MissingExtraError(
                    f"microscope {self.name!r}: it needs the extra [{self.extra}]: pip install 'nanospa[{self.extra}]' ({error})"
                ) from error
        factory: Callable[..., Microscope] = getattr(importlib.import_module(self.module), self.factory)
        return factory


#: The drivers nanospa itself has.
TABLE: tuple[DriverEntry, ...] = (
    DriverEntry(
        "simulated", "virtual specimen on a virtual clock, with known truth", "nanospa.acquire.drivers.simulated", "SimulatedMicroscope"
    ),
    DriverEntry(
        "temscript",
        "TFS/FEI microscopes through temscript, here or over its server",
        "nanospa.acquire.drivers.temscript",
        "TemscriptMicroscope",
        extra="temscript",
        requires="temscript",
    ),
)


def connect(name: str, **options: Any) -> Microscope:
    """Connect to a microscope.

    Parameters
    ----------
    name : str
        Name of a driver, see `drivers`.
    **options
        Options of the driver, in SI units; those of "simulated" are ``specimen`` and the fields of its settings: seed, beam_current,
        stage_error, backlash, drift_rate, settling_drift, flyback_lag, line_jitter, read_noise, faults …

    Returns
    -------
    Microscope
        The microscope, connected.

    Raises
    ------
    UnknownNameError
        No driver has this name.
    MissingExtraError
        The driver needs a package that is not installed; the message names the extra.
    SettingsError
        The driver does not know an option, or a value is outside its range.
    MicroscopeError
        The connection fails.

    Examples
    --------
    >>> import nanospa as ns
    >>> microscope = ns.acquire.connect("simulated", seed=3)
    >>> microscope.set_stage_position(x=2e-6)
    >>> round(microscope.get_stage_position().x * 1e6, 2)
    2.0
    """
    factory = _find(name).load()
    _check_options(name, factory, options)
    microscope = factory(**options)
    if not isinstance(microscope, Microscope):
        missing = sorted(n for n in dir(Microscope) if not n.startswith("_") and not hasattr(microscope, n))
        raise InvalidValueError(f"name: driver {name!r} gave a {type(microscope).__name__} that lacks {', '.join(missing) or 'name'}")
    microscope.connect()
    return microscope


def drivers() -> pd.DataFrame:
    """Table of the drivers of microscopes.

    Returns
    -------
    pandas.DataFrame
        One row a driver: name, description, extra (of nanospa that it needs, empty for none), available (whether it can be used now).

    Examples
    --------
    >>> import nanospa as ns
    >>> table = ns.acquire.drivers().set_index("name")
    >>> table.loc["simulated", "description"], bool(table.loc["simulated", "available"])
    ('virtual specimen on a virtual clock, with known truth', True)
    """
    import importlib.util

    import pandas as pd

    rows = [
        {
            "name": row.name,
            "description": row.description,
            "extra": row.extra or "",
            "available": row.requires is None or importlib.util.find_spec(row.requires) is not None,
        }
        for row in TABLE
    ]
    rows += [{"name": p.name, "description": f"entry point {p.value}", "extra": "", "available": True} for p in _plugins()]
    return pd.DataFrame(rows)


def _plugins() -> list[EntryPoint]:
    """Drivers of other installed packages; nanospa's own names are not theirs to take."""
    own = {row.name for row in TABLE}
    return sorted((p for p in entry_points(group=ENTRY_POINTS) if p.name not in own), key=lambda p: p.name)


def _find(name: str) -> DriverEntry | EntryPoint:
    known: dict[str, DriverEntry | EntryPoint] = {row.name: row for row in TABLE} | {p.name: p for p in _plugins()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UnknownNameError(f"name: expected one of {', '.join(known)}, found {name!r}{hint}")


def _check_options(name: str, factory: Callable[..., Any], options: dict[str, Any]) -> None:
    """Unknown options of a driver that lists its own; one that takes any keyword checks them itself."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # of a callable that is not written in Python
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known) or 'none'}"
            raise SettingsError(f"{option}: no option of the driver {name!r}{hint}")
