"""One acquisition at a time in a store, and how another process asks it to end."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from nanospa.errors import StoreError
from nanospa.io.store import Store, has_store
from nanospa.pipeline.event_journal import has_events


@contextmanager
def session_lock(path: Path) -> Iterator[None]:
    """Hold the store at `path` for an acquisition; a process that dies lets go of it.

    Raises
    ------
    StoreError
        Another process acquires into it.
    """
    held = _take(path)
    if held is None:
        file = _file(path)
        left = f"; if the process that {file} names (computer, process, start) is gone, remove that file" if file.exists() else ""
        raise StoreError(
            f"{path}: another process acquires into this store or works on it; "
            f"wait for it, or end an acquisition with nanospa acquire --abort{left}"
        )
    try:
        yield
    finally:
        held()


def unless_acquiring(path: Path) -> AbstractContextManager[None]:
    """Hold a store whose frames are acquired against a session; any other needs no holding."""
    return session_lock(path) if has_store(path) and has_events(Store.open(path)) else nullcontext()


def is_held(path: Path) -> bool:
    """Whether a process acquires into the store."""
    held = _take(path)
    if held is not None:
        held()
    return held is None


def request_abort(path: Path, timeout_s: float) -> bool:
    """Ask the process that acquires into the store to end; gives whether within the time it has stopped acquiring, or is gone."""
    request = _request(path)
    request.touch()
    until = time.monotonic() + timeout_s
    while request.exists() and is_held(path):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    request.unlink(missing_ok=True)
    return True


def abort_requested(path: Path) -> bool:
    """Whether somebody has asked the session to end."""
    return _request(path).exists()


def forget_request(path: Path) -> None:
    """A new session does not obey an old request."""
    _request(path).unlink(missing_ok=True)


def _request(path: Path) -> Path:
    # Beside the store: inside it Zarr would take it for a damaged node.
    return path.with_name(path.name + ".abort")


def _take(path: Path) -> Callable[[], None] | None:
    """What lets go of the lock; None where another process holds it."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return _take_file(_file(path))
    # The folder itself: its files are replaced as they are written, and a lock would go with them.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        # A file system without locks.
        os.close(descriptor)
        return _take_file(_file(path))
    return partial(os.close, descriptor)


def _file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _take_file(file: Path) -> Callable[[], None] | None:
    """The lock as a file that names its process, where the system has none that goes with the process."""
    import psutil

    # A number alone may be another process's by now.
    own = f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.0f}"
    for _ in range(2):
        try:
            with file.open("x", encoding="utf-8") as opened:
                opened.write(own)
            return partial(file.unlink, missing_ok=True)
        except FileExistsError:
            if not _is_left_over(file):
                return None
            file.unlink(missing_ok=True)
    return None


def _is_left_over(file: Path) -> bool:
    """Whether the process of a lock file is gone; of one on another computer nobody here can tell."""
    import psutil

    try:
        host, number, started = file.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        # Being written, or let go of.
        return False
    if host != socket.gethostname():
        return False
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(started)) > 2)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
