"""After an interruption: the microscope is brought to where the last event left it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nanospa.acquire.events import Event
from nanospa.acquire.execute import Executor
from nanospa.acquire.session import Session
from nanospa.acquire.steps import Step
from nanospa.errors import MicroscopeError


def recovery(executor: Executor, session: Session, past: list[Event]) -> Iterator[Event]:
    """Bring the microscope to where the last event left it: by its state, or by a move, the last defocus and a focus.

    Parameters
    ----------
    executor : Executor
        Does the steps.
    session : Session
        The session, replayed to the last event; it is to be told of every event before the next is asked for.
    past : list of Event
        Events so far, at least one.

    Yields
    ------
    Event
        Marked with "recovery"; the last one is a "pause" where the microscope needs somebody.
    """
    number = past[-1].number + 1
    for kind, values in _steps(executor, session, past):
        yield Event(number, kind, {**values, "recovery": True}, executor.state())
        number += 1
        if kind == "fault":
            yield Event(number, "pause", {"reason": values["message"], "clock_s": values["clock_s"], "seconds": 0.0, "recovery": True})
            return


def _steps(executor: Executor, session: Session, past: list[Event]) -> Iterator[tuple[str, dict[str, Any]]]:
    microscope = executor.microscope
    if "restore" in executor.capabilities and past[-1].state:
        try:
            microscope.set_state(past[-1].state)
            executor.mark_s = executor.now_s = microscope.clock()
        except MicroscopeError as error:
            yield executor.failed(Step("recovery"), error, action="pause")
        return
    here = session.back.here
    if here is None:
        return
    known = [event.values["defocus_nm"] for event in past if event.values.get("defocus_nm") is not None]
    yield executor.execute(Step("move", {key: here[key] for key in ("position", "row", "column", "target_y_um", "target_x_um")}))[:2]
    if known and "defocus" in executor.capabilities:
        try:
            microscope.set_defocus(known[-1] * 1e-9)
        except MicroscopeError as error:
            yield executor.failed(Step("recovery"), error, action="pause")
            return
    for step in session.back.steps():
        yield executor.execute(step)[:2]
