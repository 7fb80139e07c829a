"""Independent items on this process, on local processes or on a Dask cluster: the only code that knows a scheduler.

Futures go out in a sliding window, so neither the client nor the scheduler ever holds more than a few items a worker. No global client
is registered, and without Dask (``sync``) it is not imported.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from nanospa._threads import available_cores
from nanospa.errors import InvalidValueError, SchedulerError

#: Items in flight a worker thread: enough that none waits for the client.
WINDOW = 4
#: Seconds to wait for a scheduler to answer.
CONNECT_S = 10

Task = Callable[..., dict[str, Any]]
Outcome = tuple[int, dict[str, Any] | Exception]


class Workers:
    """Where items are computed. The cluster is started with the first item: a run with nothing to do starts none."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = os.environ.get("DASK_SCHEDULER_ADDRESS", "local") if scheduler is None else scheduler
        self._client: Any = None
        self._owned: list[Any] = []
        _check(self.scheduler)

    def run(self, task: Task, items: Iterable[tuple[Any, ...]], window: int = WINDOW) -> Iterator[Outcome]:
        """Call ``task(*item)`` for every item; gives (number of the item, result or exception) as they are done.

        `window` items a worker thread are taken before the first must be done.
        """
        if self.scheduler == "sync":
            return self._here(task, items)
        return self._there(task, items, window)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """``map(function, items)``: the results in the items' order, an item a task; what an item raises is raised.

        What `function` holds is pickled once and unpickled once a worker, whatever the number of items.
        """
        if self.scheduler == "sync":
            yield from map(function, items)
            return
        pickled = importlib.import_module("distributed.protocol.pickle").dumps(function)
        waiting: dict[int, Any] = {}
        following = 0
        for number, outcome in self._there(_apply, ((pickled, item) for item in items), WINDOW):
            if isinstance(outcome, Exception):
                raise outcome
            waiting[number] = outcome["result"]
            while following in waiting:
                yield waiting.pop(following)
                following += 1

    def start(self) -> None:
        """Start the cluster, or connect to it, now."""
        if self.scheduler != "sync":
            self._connected()

    def close(self) -> None:
        """Stop what was started."""
        while self._owned:
            self._owned.pop().close()
        self._client = None

    @staticmethod
    def _here(task: Task, items: Iterable[tuple[Any, ...]]) -> Iterator[Outcome]:
        for number, item in enumerate(items):
            try:
                yield number, task(*item)
            except Exception as error:
                yield number, error

    def _there(self, task: Task, items: Iterable[tuple[Any, ...]], window: int) -> Iterator[Outcome]:
        numbered = enumerate(items)
        first = next(numbered, None)
        if first is None:
            return
        client = self._connected()
        width = window * max(1, sum(client.nthreads().values()))
        in_flight: dict[Any, tuple[int, tuple[Any, ...]]] = {}
        suspects: list[tuple[int, tuple[Any, ...]]] = []

        def submit(number: int, item: tuple[Any, ...]) -> Any:
            with warnings.catch_warnings():
                # Some megabytes of images are what a task works on.
                warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
                # pure=False: a repeated item is computed again, never taken from an earlier result.
                future = client.submit(task, *item, pure=False)
            in_flight[future.key] = (number, item)
            return future

        done = _distributed().as_completed([submit(*first), *(submit(*each) for each in islice(numbered, width - 1))], loop=client.loop)
        for future in done:
            number, item = in_flight.pop(future.key)
            outcome = _outcome(future)
            following = next(numbered, None)
            if following is not None:
                done.add(submit(*following))
            if type(outcome).__name__ == "KilledWorker":
                suspects.append((number, item))
            else:
                yield number, outcome
        # Whatever waited on a worker that died is blamed with the item that killed it: alone, each answers for itself.
        for number, item in suspects:
            yield number, _outcome(submit(number, item))

    def _connected(self) -> Any:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> Any:
        if hasattr(self.scheduler, "submit"):
            return self.scheduler
        dask = _distributed()
        text = str(self.scheduler)
        try:
            if text == "local" or text.startswith("local:"):
                # Any free port, for this machine only: two runs side by side do not meet.
                with _deaf_to_interrupts():
                    cluster = dask.LocalCluster(
                        n_workers=_n_local(text),
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.ERROR,
                    )
                self._owned.append(cluster)
                client = dask.Client(cluster, set_as_default=False)
            elif "://" in text:
                client = dask.Client(text, set_as_default=False, timeout=CONNECT_S)
            else:
                client = dask.Client(scheduler_file=text, set_as_default=False, timeout=CONNECT_S)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise SchedulerError(f"scheduler: no answer from {text!r} ({type(error).__name__}: {error})") from error
        self._owned.append(client)
        return client


def _apply(pickled: bytes, item: Any) -> dict[str, Any]:
    """One item of a map, in a worker."""
    return {"result": _unpickled(pickled)(item)}


@functools.lru_cache(maxsize=1)
def _unpickled(pickled: bytes) -> Any:
    return importlib.import_module("distributed.protocol.pickle").loads(pickled)


@contextmanager
def workers(scheduler: Any) -> Iterator[Workers]:
    """Workers of a scheduler, stopped at the end if they were started here.

    `scheduler`: "sync", "local" (one process a core), "local:N", an address (tcp://, tls://), a scheduler file, a `distributed.Client`,
    or None for ``DASK_SCHEDULER_ADDRESS`` and else "local".
    """
    found = Workers(scheduler)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started here leave Ctrl-C, which a terminal sends to all, to this one: a pause finishes what they are at."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Children inherit what is ignored.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _outcome(future: Any) -> dict[str, Any] | Exception:
    """Result of a future, or why there is none; a worker that dies costs a rerun by the scheduler until that gives up."""
    from concurrent.futures import CancelledError

    try:
        result: dict[str, Any] = future.result()
    except CancelledError as error:
        return SchedulerError(f"scheduler: the connection was lost ({error})")
    except Exception as error:
        return error
    finally:
        future.release()
    return result


def _distributed() -> Any:
    # No type information is published for it.
    return importlib.import_module("distributed")


def _check(scheduler: Any) -> None:
    """Refuse what cannot be a scheduler before anything starts."""
    if hasattr(scheduler, "submit"):
        return
    text = str(scheduler)
    if text == "sync" or "://" in text:
        return
    if text == "local" or text.startswith("local:"):
        _n_local(text)
        return
    if not Path(text).is_file():
        raise SchedulerError(
            f"scheduler: expected sync, local, local:N, tcp://host:port, a scheduler file or a Client, found {text!r} (no such file)"
        )


def _n_local(text: str) -> int:
    _, _, number = text.partition(":")
    if not number:
        return available_cores()
    if not number.isdigit() or int(number) < 1:
        raise InvalidValueError(f"scheduler: expected local:N with N >= 1, found {text!r}")
    return int(number)
