"""Acquire frames with a microscope into a store, and analyse them meanwhile.

Every frame and then its event is written before the microscope does anything else, so whatever ends the process costs at most the frame
in flight: the next call replays the events and goes on. Nothing is fsynced: a power cut may cost the last few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.errors import StoreError
from nanospa.io.store import Store, has_store
from nanospa.pipeline.acquisition_session import AcquisitionSession, OnEvent
from nanospa.pipeline.distribute import Workers, workers
from nanospa.pipeline.event_journal import EventJournal, has_events
from nanospa.pipeline.frame_source import frames_of
from nanospa.pipeline.run import Progress, as_settings, settings_of
from nanospa.pipeline.session_lock import is_held, request_abort, session_lock
from nanospa.pipeline.settings import AcquireSettings, Settings, changed
from nanospa.pipeline.summary import Summary
from nanospa.pipeline.trained_model import located

if TYPE_CHECKING:
    from nanospa.acquire import Microscope


def acquire(
    settings: Any = None,
    store: str | Path = "run.zarr",
    *,
    microscope: Microscope | None = None,
    scheduler: Any = "local",
    analyse: bool = True,
    progress: Progress | None = None,
    on_event: OnEvent | None = None,
    stop: Callable[[], bool] | None = None,
) -> Summary:
    """Acquire a session unattended into one store, find its particles meanwhile, then measure and group them.

    Call it again after an interruption of any kind and the session goes on where it was; a session that is over is only analysed.

    Parameters
    ----------
    settings : Settings, mapping, str, Path or None
        Settings as of `nanospa.pipeline.run`; the section ``acquire`` has plan, driver and its options. None takes those of the store, or
        the defaults: the plan "slater2020" on the simulated microscope.
    store : str or Path
        Folder of the store; made where there is none.
    microscope : Microscope, optional
        A connected microscope instead of the one the settings name; it is not closed.
    scheduler : str, Path, distributed.Client or None
        Where the frames are analysed, as of `nanospa.pipeline.run`. The microscope is driven by this process.
    analyse : bool
        Whether particles are found, measured and grouped.
    progress : callable, optional
        Called with (stage, items done, items in all, items failed); the items of the stage "acquire" are images.
    on_event : callable, optional
        Called with every new event, once it is written, and the progress so far.
    stop : callable, optional
        Asked after every event; where it gives True the session pauses.

    Returns
    -------
    Summary
        `Summary.acquisition` says how the session stands; one that paused has not been analysed.

    Raises
    ------
    SettingsError, UnknownNameError
        Settings, a preset or a driver that is not known.
    StoreError, StoreSchemaError
        The store cannot be written, is in use, or holds another session or other frames.
    MicroscopeError
        The microscope cannot be connected, or failed for good; what was acquired is kept.

    Examples
    --------
    >>> import nanospa as ns, tempfile
    >>> plan = {"stage_x_um": (0, 0), "stage_y_um": (0, 0), "tiles": 2, "max_images": 1, "image_shape": (256, 256)}
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> summary = ns.pipeline.acquire({"acquire": plan}, path, scheduler="sync", analyse=False)
    >>> summary.n_frames, summary.acquisition["state"]
    (1, 'ended')
    """
    path = Path(store)
    chosen, section = _as_settings(settings, path)
    _refuse_other(path, section)
    if analyse:
        chosen = located(chosen)
    instrument = microscope
    with workers(scheduler) as pool:
        try:
            if not has_store(path):
                # Nobody can acquire into a store that is not there; and a driver that cannot be connected leaves none behind.
                instrument = instrument or _connected(section)
                Store.create(path)
            with session_lock(path):
                # Only now: opening a store for writing clears away what another process is writing, and connecting to its microscope
                # would disturb that.
                opened = Store.open(path, writable=True)
                over = EventJournal(opened).over
                instrument = instrument or (None if over else _connected(section))
                session = AcquisitionSession(
                    opened,
                    chosen,
                    pool,
                    None if over else instrument,
                    progress=progress,
                    on_event=on_event,
                    stop=stop,
                    analyse=analyse,
                )
                return session.all()
        finally:
            if instrument is not None and instrument is not microscope:
                instrument.close()


def abort(store: str | Path, *, timeout_s: float = 60.0) -> str:
    """End the session of a store for good, running or interrupted; what was acquired is kept.

    A process that runs it ends it after the image in flight. Otherwise the microscope's stage and scan are stopped and its beam is blanked,
    as far as it can be reached.

    Parameters
    ----------
    store : str or Path
        Folder of the store.
    timeout_s : float
        Longest wait for the process that runs the session [s].

    Returns
    -------
    str
        What was done.

    Raises
    ------
    StoreError, StoreSchemaError
        No store, none with an acquisition, or the process that runs it does not end.

    Examples
    --------
    >>> import nanospa as ns, tempfile
    >>> plan = {"stage_x_um": (0, 0), "stage_y_um": (0, 0), "tiles": 2, "image_shape": (256, 256)}
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> first = ns.pipeline.acquire({"acquire": plan}, path, scheduler="sync", stop=lambda: True)
    >>> first.acquisition["state"], ns.pipeline.abort(path)
    ('paused', 'the session is ended')
    """
    path = Path(store)
    # For reading, as long as another process may be writing.
    opened = Store.open(path)
    if not has_events(opened):
        raise StoreError(f"{path}: expected a store with an acquisition, found none")
    if EventJournal(opened).over:
        return "the session was over already"
    until = time.monotonic() + timeout_s
    while is_held(path):
        if not request_abort(path, until - time.monotonic()):
            raise StoreError(
                f"{path}: the process that acquires did not end the session within {timeout_s:g} s; it will after the image in flight"
            )
        if EventJournal(opened).over:
            return "the running session has ended"
    with session_lock(path):
        return _end(Store.open(path, writable=True))


def _end(store: Store) -> str:
    """End a session that no process runs."""
    said, settings = "", settings_of(store)
    try:
        instrument = _connected(settings.acquire or AcquireSettings())
        try:
            instrument.abort()
        finally:
            instrument.close()
    except Exception as error:
        # Whatever is wrong with the microscope or its options, the session can be ended.
        said = f"; the microscope was not reached ({error})"
    session = AcquisitionSession(store, settings, Workers("sync"), None, analyse=False)
    if session.journal.over:
        return "the session was over already"
    session.end("aborted")
    session.finish("ended", "aborted")
    return "the session is ended" + said


def _connected(section: AcquireSettings) -> Microscope:
    from nanospa.acquire import connect

    connected: Microscope = connect(section.microscope, **section.options)
    return connected


def _as_settings(settings: Any, store: Path) -> tuple[Settings, AcquireSettings]:
    chosen = as_settings(settings, store)
    values: dict[str, Any] = {"simulate": None, "input": {"images": ()}}
    if chosen.acquire is None:
        values["acquire"] = "slater2020"
    chosen = changed(chosen, values)
    assert chosen.acquire is not None
    return chosen, chosen.acquire


def _refuse_other(path: Path, section: AcquireSettings) -> None:
    """A store goes on with its own session and no other."""
    if not has_store(path):
        return
    store = Store.open(path)
    if not has_events(store):
        n = len(frames_of(store))
        if n:
            raise StoreError(f"{path}: the store holds {n} frames that were not acquired; give another --store")
        return
    kept = settings_of(store).acquire
    if kept is None:
        return
    old, new = kept.model_dump(mode="json"), section.model_dump(mode="json")
    differ = [f"{name} {old[name]!r} (now {new[name]!r})" for name in old if old[name] != new[name]]
    if differ:
        raise StoreError(
            f"{path}: the store holds a session with other settings: acquire.{', acquire.'.join(differ)}; "
            "go on with its own by giving none, or give another --store"
        )
