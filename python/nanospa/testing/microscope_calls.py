"""The calls of a microscope under test: complete, honest about what it can do, in SI units, deaf to nonsense."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nanospa.acquire import AXES, CAPABILITIES, Microscope, Region, StagePosition
from nanospa.errors import MicroscopeError
from nanospa.testing.microscope_case import NONSENSE, Case, call, readings, refused, unchanged

#: Largest size of what is read, in SI units: a driver that gives nm, µm, degrees or pA is far outside.
_LARGEST = {"x": 5e-3, "y": 5e-3, "z": 5e-3, "alpha": 2.0, "beta": 2.0, "defocus": 1e-3, "beam_shift": 1e-3, "beam_current": 1e-6}
_FIELDS_OF_VIEW = (1e-10, 1e-3)
_RANGES = {"x": 1e-5, "y": 1e-5, "z": 1e-6, "alpha": 1e-3, "beta": 1e-3}


def the_protocol_is_complete(case: Case) -> None:
    with case.microscope() as microscope:
        missing = [name for name in _protocol_methods() if not callable(getattr(microscope, name, None))]
        assert not missing, f"expected every method of the protocol, {missing} missing"
        assert isinstance(microscope, Microscope)
        assert isinstance(microscope.name, str) and microscope.name, f"name: expected a text, found {microscope.name!r}"
        for name, function in _protocol_methods().items():
            found = inspect.signature(getattr(microscope, name)).parameters
            expected = {key: value for key, value in inspect.signature(function).parameters.items() if key != "self"}
            lost = set(expected) - set(found)
            assert not lost, f"{name}: expected the arguments {list(expected)}, {sorted(lost)} missing"
            extra = [key for key, p in found.items() if key not in expected and p.default is p.empty and p.kind not in _VARIADIC]
            assert not extra, f"{name}: arguments beyond the protocol need a default, {extra} have none"


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _protocol_methods() -> dict[str, Any]:
    return {name: item for name, item in vars(Microscope).items() if inspect.isfunction(item) and not name.startswith("_")}


def capabilities_are_known(case: Case) -> None:
    with case.microscope() as microscope:
        found = microscope.capabilities
        assert isinstance(found, frozenset), f"capabilities: expected a frozenset, found {type(found).__name__}"
        assert found <= CAPABILITIES, f"capabilities: unknown {sorted(found - CAPABILITIES)}"
        assert "stage" in found or not found & {"stage_z", "stage_tilt"}, "stage_z and stage_tilt need stage"
        assert microscope.capabilities == found, "capabilities: expected the same on every read"


def capabilities_are_honest(case: Case) -> None:
    """What is claimed works, what is not claimed raises MicroscopeError."""
    with case.microscope() as microscope:
        calls = _calls(case, microscope)
        assert set(calls) == set(CAPABILITIES)
        for capability, actions in calls.items():
            for name, action in actions.items():
                if capability in microscope.capabilities:
                    try:
                        action()
                    except Exception as error:
                        raise AssertionError(f"{capability} is claimed, but {name} raised {type(error).__name__}: {error}") from error
                else:
                    refused(action, (MicroscopeError,), f"{capability} is not claimed, {name}")


def _calls(case: Case, microscope: Microscope) -> dict[str, dict[str, Callable[[], Any]]]:
    """Calls that a capability stands for; they change nothing that the instrument did not have."""
    can = microscope.capabilities
    stage = microscope.get_stage_position() if "stage" in can else StagePosition()
    field = microscope.get_field_of_view() if "field_of_view" in can else 1e-7
    defocus = microscope.get_defocus() if "defocus" in can else 0.0
    stigmator = microscope.get_stigmator() if "stigmator" in can else (0.0, 0.0)
    shift = microscope.get_beam_shift() if "beam_shift" in can else (0.0, 0.0)
    calls: dict[str, dict[str, Callable[[], Any]]] = {
        "stage": {
            "get_stage_position": microscope.get_stage_position,
            "get_stage_limits": microscope.get_stage_limits,
            "is_stage_moving": microscope.is_stage_moving,
            "stop_stage": microscope.stop_stage,
            "set_stage_position": lambda: microscope.set_stage_position(x=stage.x, y=stage.y),
        },
        "stage_z": {"set_stage_position(z)": lambda: microscope.set_stage_position(z=stage.z)},
        "stage_tilt": {"set_stage_position(alpha)": lambda: microscope.set_stage_position(alpha=stage.alpha)},
        "field_of_view": {
            "get_field_of_view": microscope.get_field_of_view,
            "set_field_of_view": lambda: microscope.set_field_of_view(field),
        },
        "defocus": {"get_defocus": microscope.get_defocus, "set_defocus": lambda: microscope.set_defocus(defocus)},
        "stigmator": {"get_stigmator": microscope.get_stigmator, "set_stigmator": lambda: microscope.set_stigmator(*stigmator)},
        "beam_shift": {"get_beam_shift": microscope.get_beam_shift, "set_beam_shift": lambda: microscope.set_beam_shift(*shift)},
        "beam_blank": {f"set_beam_blanked({blanked})": call(microscope.set_beam_blanked, blanked) for blanked in (True, False)},
        "beam_current": {"get_beam_current": microscope.get_beam_current},
        "restore": {"set_state": lambda: microscope.set_state(microscope.get_state())},
        "scan_region": {"acquire(region)": lambda: case.acquire(microscope, region=Region(0.25, 0.25, 0.5, 0.5))},
        "scan_rotation": {"acquire(rotation)": lambda: case.acquire(microscope, rotation=0.1)},
    }
    if not case.has_detectors:  # whether a scan can be turned or cut shows only where there is one
        calls.update({name: {} for name in ("scan_region", "scan_rotation")})
    return calls


def units_are_si(case: Case) -> None:
    with case.microscope() as microscope:
        can = microscope.capabilities
        if "stage" in can:
            position, limits = microscope.get_stage_position(), microscope.get_stage_limits()
            axes = {"x", "y"} | ({"z"} & set(limits)) | ({"alpha", "beta"} & set(limits))
            assert set(limits) == axes, f"limits: expected x and y and what there is of z, alpha, beta, found {sorted(limits)}"
            assert ("z" in limits) == ("stage_z" in can), "limits: z goes with stage_z"
            assert ("alpha" in limits) == ("stage_tilt" in can), "limits: alpha goes with stage_tilt"
            for axis, (low, high) in limits.items():
                assert math.isfinite(low) and math.isfinite(high) and low < high, f"{axis}: expected (lowest, highest), found {(low, high)}"
                assert max(abs(low), abs(high)) <= _LARGEST[axis], f"{axis}: limits {(low, high)} are too wide for m and rad"
                assert high - low >= _RANGES[axis], f"{axis}: limits {(low, high)} are too narrow for m and rad"
            for axis in AXES:
                value = getattr(position, axis)
                assert abs(value) <= _LARGEST[axis], f"{axis}: {value} is too far for m and rad"
        if "field_of_view" in can:
            field = microscope.get_field_of_view()
            assert _FIELDS_OF_VIEW[0] <= field <= _FIELDS_OF_VIEW[1], f"field of view: {field} is not in m"
        if "defocus" in can:
            assert abs(microscope.get_defocus()) <= _LARGEST["defocus"], f"defocus: {microscope.get_defocus()} is not in m"
        if "beam_shift" in can:
            assert np.abs(microscope.get_beam_shift()).max() <= _LARGEST["beam_shift"], "beam shift: not in m"
        if "beam_current" in can:
            current = microscope.get_beam_current()
            assert 0 <= current <= _LARGEST["beam_current"], f"beam current: {current} is not in A"


def optics_read_what_was_set(case: Case) -> None:
    with case.microscope() as microscope:
        can = microscope.capabilities
        if "field_of_view" in can:
            start = microscope.get_field_of_view()
            microscope.set_field_of_view(start / 2)
            half = microscope.get_field_of_view()
            assert 0.35 <= half / start <= 0.71, f"field of view: {start / 2:g} was set, found {half:g}, not the nearest"
            microscope.set_field_of_view(half)
            again = microscope.get_field_of_view()
            assert math.isclose(again, half, rel_tol=1e-6), f"field of view: {half:g} was read and set again, found {again:g}"
            microscope.set_field_of_view(start)
        if "defocus" in can:
            start = microscope.get_defocus()
            for step in (50e-9, -50e-9, 2e-9, 0.0):
                microscope.set_defocus(start + step)
                found = microscope.get_defocus()
                assert abs(found - start - step) <= 0.5e-9, f"defocus: {start + step:g} was set, found {found:g}"
        for name, step, tolerance in (("stigmator", 1e-3, 1e-4), ("beam_shift", 20e-9, 1e-9)):
            if name in can:
                read, write = getattr(microscope, f"get_{name}"), getattr(microscope, f"set_{name}")
                start_x, start_y = read()
                for dx, dy in ((step, 0.0), (0.0, -step), (0.0, 0.0)):
                    write(start_x + dx, start_y + dy)
                    found_x, found_y = read()
                    off = max(abs(found_x - start_x - dx), abs(found_y - start_y - dy))
                    assert off <= tolerance, f"{name}: {(start_x + dx, start_y + dy)} was set, found {(found_x, found_y)}"


def nonsense_is_refused(case: Case) -> None:
    with case.microscope() as microscope:
        can = microscope.capabilities
        before = readings(microscope)
        calls: dict[str, Callable[[], Any]] = {"wait(-1)": lambda: microscope.wait(-1.0), "wait(nan)": lambda: microscope.wait(math.nan)}
        for bad in (math.nan, math.inf, -math.inf):
            if "stage" in can:
                calls |= {f"set_stage_position({axis}={bad})": call(microscope.set_stage_position, **{axis: bad}) for axis in AXES}
                calls[f"set_stage_position(x={bad}, relative)"] = call(microscope.set_stage_position, x=bad, relative=True)
            if "defocus" in can:
                calls[f"set_defocus({bad})"] = call(microscope.set_defocus, bad)
            for name in ("stigmator", "beam_shift"):
                if name in can:
                    write = getattr(microscope, f"set_{name}")
                    calls |= {f"set_{name}({bad}, 0)": call(write, bad, 0.0), f"set_{name}(0, {bad})": call(write, 0.0, bad)}
        for bad in (math.nan, math.inf, 0.0, -1e-7):
            if "field_of_view" in can:
                calls[f"set_field_of_view({bad})"] = call(microscope.set_field_of_view, bad)
            calls[f"acquire(dwell_time={bad})"] = call(case.acquire, microscope, dwell_time=bad)
        for shape in ((0, 8), (8, -8), (8,), (8, 8, 8), (math.nan, 8)):
            calls[f"acquire(shape={shape})"] = call(case.acquire, microscope, shape=shape)
        for region in (Region(0.6, 0, 0.5, 1), Region(0, -0.1, 1, 0.5), Region(0, 0, 0, 1), Region(0, 0, 1, math.nan)):
            calls[f"acquire(region={region})"] = call(case.acquire, microscope, region=region)
        for frames in (0, -1):
            calls[f"acquire(frames={frames})"] = call(case.acquire, microscope, frames=frames)
        calls["acquire(rotation=nan)"] = call(case.acquire, microscope, rotation=math.nan)
        calls["acquire([])"] = call(case.acquire, microscope, [])
        calls["acquire(an unknown detector)"] = call(case.acquire, microscope, "no such detector")
        for what, action in calls.items():
            if case.has_detectors or not what.startswith("acquire(") or "detector" in what:
                refused(action, NONSENSE, what)
        unchanged(case, microscope, before, "arguments that make no sense")
