"""Connection and state of a microscope under test: aborted, closed, opened again, written down and set again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nanospa.acquire import Microscope
from nanospa.errors import MicroscopeError
from nanospa.testing.microscope_case import NONSENSE, Case, call, readings, refused, unchanged


def abort_works_from_any_state(case: Case) -> None:
    with case.microscope() as microscope:
        can = microscope.capabilities

        def usable() -> None:
            if "beam_blank" in can:
                microscope.set_beam_blanked(False)
            if "stage" in can:
                assert not microscope.is_stage_moving(), "expected a stage at rest after abort"
                position = microscope.get_stage_position()
                microscope.set_stage_position(x=position.x, y=position.y)
            if case.has_detectors:
                case.acquire(microscope)

        microscope.abort()
        microscope.abort()
        usable()
        if "stage" in can:
            position = microscope.get_stage_position()
            microscope.set_stage_position(x=position.x - math.copysign(case.stage_step, position.x), wait=False)
            microscope.abort()
            usable()
        if "beam_blank" in can:
            microscope.set_beam_blanked(True)
            microscope.abort()
            usable()
        refused(call(microscope.wait, math.nan), NONSENSE, "wait(nan)")
        microscope.abort()
        usable()
        microscope.close()
        microscope.abort()


def connects_and_closes_again(case: Case) -> None:
    with case.microscope() as microscope:
        before = readings(microscope)
        microscope.connect()
        unchanged(case, microscope, before, "a second connect")
        microscope.close()
        microscope.close()
        calls: dict[str, Callable[[], Any]] = {"get_state": microscope.get_state, "detectors": microscope.detectors}
        for capability in before:
            name = {"stage": "get_stage_position"}.get(capability, f"get_{capability}")
            calls[name] = getattr(microscope, name)
        if case.has_detectors:
            calls["acquire"] = lambda: microscope.acquire("HAADF", shape=case.shape, dwell_time=case.dwell_time)
        for what, action in calls.items():
            refused(action, (MicroscopeError,), f"{what} after close")
        microscope.connect()
        assert set(readings(microscope)) == set(before), "expected the same capabilities after connecting again"
        if case.has_detectors:
            case.acquire(microscope)


def state_is_json(case: Case) -> None:
    with case.microscope() as microscope:
        before = readings(microscope)
        state = microscope.get_state()
        assert isinstance(state, dict) and state, f"get_state: expected a dict with values, found {state!r}"
        text = json.dumps(state, allow_nan=False)
        assert json.loads(text) == state, "get_state: expected plain JSON values (lists, not tuples; texts as keys)"
        unchanged(case, microscope, before, "get_state")


def states_come_back(case: Case) -> None:
    """A state that is set again, in this microscope or in a new one, gives the same readings and bit-equal frames."""
    with case.microscope() as microscope:
        if "restore" not in microscope.capabilities:
            return
        can = microscope.capabilities
        refused(lambda: microscope.set_state({}), (*NONSENSE, ValueError), "set_state({})")
        state = json.loads(json.dumps(microscope.get_state()))

        def session(subject: Microscope) -> list[Any]:
            seen: list[Any] = []
            for step in (1.0, -0.5):
                if "stage" in can:
                    subject.set_stage_position(x=step * case.stage_step, relative=True)
                if "defocus" in can:
                    subject.set_defocus(subject.get_defocus() + step * 10e-9)
                if case.has_detectors:
                    seen.append(case.acquire(subject)[subject.detectors()[0]].data)
                subject.wait(1.0)
                seen.append(subject.get_state())
            return seen

        expected = session(microscope)
        with case.microscope() as other:
            for what, subject in (("the same microscope", microscope), ("a new microscope", other)):
                subject.set_state(state)
                assert subject.get_state() == state, f"{what}: the state read is not the state set"
                for a, b in zip(expected, session(subject), strict=True):
                    same = np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
                    assert same, (
                        f"{what}: the same commands after set_state gave another {'frame' if isinstance(a, np.ndarray) else 'state'}"
                    )
        microscope.set_state(state)
