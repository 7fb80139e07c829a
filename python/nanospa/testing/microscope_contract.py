"""What every driver of a microscope must do, checked on the driver itself."""

from __future__ import annotations

from collections.abc import Callable

from nanospa.acquire import Microscope
from nanospa.testing import microscope_calls, microscope_frames, microscope_stage, microscope_states
from nanospa.testing.microscope_case import Case

_CHECKS = (
    microscope_calls.the_protocol_is_complete,
    microscope_calls.capabilities_are_known,
    microscope_calls.capabilities_are_honest,
    microscope_calls.units_are_si,
    microscope_calls.optics_read_what_was_set,
    microscope_calls.nonsense_is_refused,
    microscope_stage.stage_goes_where_it_is_sent,
    microscope_stage.limits_hold,
    microscope_frames.frames_say_where_they_are,
    microscope_frames.frames_are_kept_apart,
    microscope_frames.other_shapes_come_or_are_refused,
    microscope_frames.regions_are_where_they_say,
    microscope_frames.images_lie_where_they_say,
    microscope_states.abort_works_from_any_state,
    microscope_states.connects_and_closes_again,
    microscope_states.state_is_json,
    microscope_states.states_come_back,
)


def check_microscope(
    connect: Callable[[], Microscope],
    *,
    shape: tuple[int, int] = (64, 64),
    dwell_time: float = 1e-6,
    stage_step: float = 5e-6,
    stage_tolerance: float = 1e-6,
    has_detectors: bool = True,
    contrast: bool = False,
) -> list[str]:
    """Check that a driver does what nanospa's plans rely on.

    On an instrument: the stage moves by a step along every axis and comes back, field of view, defocus, stigmator and beam shift change a
    little and are set back, the beam is blanked and comes back, and some twenty images are taken. Use a place that can stand that.

    Parameters
    ----------
    connect : callable
        Gives the microscope, connected; called once for every check.
    shape : (int, int)
        Pixels (y, x) of an image that the instrument can take.
    dwell_time : float
        Dwell time of a pixel that it can take [s].
    stage_step : float
        Longest stage move of the checks [m].
    stage_tolerance : float
        How far from its target the stage may read to be [m].
    has_detectors : bool
        Whether there is a detector; without one it is checked that images are refused.
    contrast : bool
        Whether there is something to see: then the images show whether stage, beam shift and scan region go along the right axis and the
        right way. Take a field of view several times the stage's error, and a place that is not periodic.

    Returns
    -------
    list of str
        Names of the checks.

    Raises
    ------
    AssertionError
        The driver fails checks; the message lists all of them.

    Examples
    --------
    >>> from nanospa.acquire.drivers.template import TemplateMicroscope
    >>> from nanospa.testing import check_microscope
    >>> def connected():
    ...     microscope = TemplateMicroscope()
    ...     microscope.connect()
    ...     return microscope
    >>> len(check_microscope(connected, contrast=True)) > 10
    True
    """
    case = Case(connect, shape, dwell_time, stage_step, stage_tolerance, has_detectors, contrast)
    failed = []
    for check in _CHECKS:
        try:
            check(case)
        except Exception as error:  # every failure is reported, not the first alone
            failed.append(f"{check.__name__}: {type(error).__name__}: {error}")
    assert not failed, "\n".join(["the driver fails its contract:", *failed])
    return [check.__name__ for check in _CHECKS]
