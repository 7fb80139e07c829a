"""acquire: an unattended acquisition, event by event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from numpy.typing import NDArray

from nanospa.acquire.events import Event
from nanospa.acquire.execute import Executor
from nanospa.acquire.microscope import Frame, Microscope
from nanospa.acquire.plan import Plan, as_plan
from nanospa.acquire.presence import particle_presence
from nanospa.acquire.raster import serpentine
from nanospa.acquire.recovery import recovery
from nanospa.acquire.session import Session
from nanospa.acquire.session_return import beside
from nanospa.acquire.steps import Step
from nanospa.errors import InvalidValueError, MicroscopeError, SettingsError, StageLimitError, UnknownNameError

#: Share of the highest contrast from which on a pixel belongs to a particle, where single particles are wanted: near the foot of the edge,
#: so that sizes are right and faint particles beside bright ones are found; for tiles, the paper's 0.6 does.
PARTICLE_FRACTION = 0.25


def acquire(
    microscope: Microscope,
    plan: Plan | str | Mapping[str, Any] | None = None,
    *,
    find_particles: Callable[[NDArray[Any], float], Any] | None = None,
    zone_axis: Callable[[NDArray[Any], float], Any] | None = None,
    on_frame: Callable[[Frame, Event], None] | None = None,
    history: Iterable[Event | Mapping[str, Any]] = (),
    load_survey: Callable[[int], NDArray[Any]] | None = None,
) -> Iterator[Event]:
    """Acquire surveys and images without input, one event after another.

    The stage goes over a serpentine raster. At each position: coarse focus, a survey, and images of the tiles that hold particles, or of
    single particles at atomic resolution. Nothing happens between two events: who stops asking for the next one pauses the session, and
    goes on later by handing in the events so far as `history`.

    Parameters
    ----------
    microscope : Microscope
        A connected microscope.
    plan : Plan, str or mapping, optional
        Plan, name of a preset, or fields; "slater2020" by default.
    find_particles : callable, optional
        Survey image of shape (y, x) and pixel size [nm] → labels or mask of the particles; `particle_presence` by default, with a lower
        threshold where single particles are wanted.
    zone_axis : callable, optional
        Image of a particle and pixel size [nm] → whether, or how well, it is seen along a zone axis (bool, or float, higher is better).
        With target "particles" each then gets a quick look, and images are taken of the best first.
    on_frame : callable, optional
        Called with each survey and image and its event, before the event is given out and before the microscope moves on.
    history : iterable of Event or mapping
        Events of this session before an interruption, or their `as_dict`. They are not done again. A microscope that can ("restore")
        is set to the state after the last one; else it goes back to the last position and focuses.
    load_survey : callable, optional
        Number of a survey of before the interruption → its image of shape (y, x), to register later images against. Without it they
        are placed by what the stage read.

    Yields
    ------
    Event
        The last one is "end", or "pause" where the microscope needs somebody.

    Raises
    ------
    StageLimitError
        A position of the plan lies outside the stage's limits.
    MicroscopeError
        The microscope cannot do what the plan needs.
    UnknownNameError
        The microscope has no such detector, or there is no such preset.
    SettingsError
        A field of the plan is wrong.
    InvalidValueError
        `history` is of another plan, or not a history.
    """
    plan = as_plan(plan)
    past = [event if isinstance(event, Event) else Event.from_dict(event) for event in history]
    _possible(microscope, plan)
    if find_particles is None:
        find_particles = particle_presence if plan.target == "tiles" else partial(particle_presence, fraction=PARTICLE_FRACTION)
    executor = Executor(microscope, plan, find_particles=find_particles, zone_axis=zone_axis, load_survey=load_survey)
    return _events(executor, Session(plan, zone_axis is not None and plan.target == "particles"), past, on_frame)


def _events(executor: Executor, session: Session, past: list[Event], on_frame: Callable[[Frame, Event], None] | None) -> Iterator[Event]:
    steps = session.steps()
    step = next(steps)
    for event in past:
        if event.kind == "end":
            return
        if not beside(event, step):
            _fits(event, step, session.plan)
            executor.recall(event)
        step = steps.send(event)
    number = past[-1].number + 1 if past else 0
    if past:
        for event in recovery(executor, session, past):
            # Steps like any other to the budgets, and to where things are now.
            step = steps.send(event)
            yield event
            number = event.number + 1
            if event.kind == "pause":
                return
    while True:
        kind, values, frame = executor.execute(step)
        event = Event(number, kind, values, executor.state())
        if frame is not None and on_frame is not None:
            on_frame(frame, event)
        yield event
        if kind in ("pause", "end"):
            return
        number += 1
        step = steps.send(event)


def _fits(event: Event, step: Step, plan: Plan) -> None:
    if event.kind not in (step.kind, "fault"):
        raise InvalidValueError(f"history: expected event {event.number} to be {step.kind!r} or 'fault', found {event.kind!r}")
    if event.kind == "start" and event.values.get("plan_hash") != plan.digest():
        changed = [key for key, value in plan.model_dump(mode="json").items() if event.values.get("plan", {}).get(key) != value]
        raise InvalidValueError(f"history: expected the events of this plan, found another: {', '.join(changed)} differ")


def _possible(microscope: Microscope, plan: Plan) -> None:
    """Refuse what cannot be done before anything moves."""
    capabilities = microscope.capabilities
    needed = {"stage", "field_of_view"} | ({"defocus"} if plan.focus_every or plan.fine_focus_every else set())
    missing = sorted(needed - capabilities)
    if missing:
        raise MicroscopeError(f"microscope: expected one that has {', '.join(missing)}, found {microscope.name} without")
    if not capabilities & {"scan_region", "beam_shift"} and (plan.target == "particles" or plan.tiles > 1):
        raise MicroscopeError(f"microscope: expected one that has scan_region or beam_shift, found {microscope.name} without")
    if plan.detector not in microscope.detectors():
        raise UnknownNameError(f"plan: detector: expected one of {', '.join(microscope.detectors())}, found {plan.detector!r}")
    if plan.max_dose_electrons_per_nm2 is not None and plan.beam_current_pA is None and "beam_current" not in capabilities:
        raise SettingsError(
            "plan: beam_current_pA: expected the probe current, which the microscope cannot tell, for a dose limit; found None"
        )
    limits = microscope.get_stage_limits()
    for position in serpentine(plan.stage_y_um, plan.stage_x_um, plan.survey_step_um):
        for axis, value in (("y", position.y_um), ("x", position.x_um)):
            low, high = limits.get(axis, (float("-inf"), float("inf")))
            # Half a nanometre: what a limit in metres loses to rounding.
            if not (low - 5e-10 <= (value - plan.backlash_um) * 1e-6 and value * 1e-6 <= high + 5e-10):
                allowed = f"{low * 1e6:g} … {high * 1e6:g} µm, reached from {plan.backlash_um:g} µm below"
                raise StageLimitError(f"plan: stage_{axis}_um: expected positions in {allowed}, found {value:g} µm")
