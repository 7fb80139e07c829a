"""How many threads a kernel may use.

Order: explicit argument > `threads(n)` context > ``NANOSPA_NUM_THREADS`` > 1 inside a Dask worker > the cores this process may use.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from nanospa.errors import InvalidValueError

T = TypeVar("T")
R = TypeVar("R")

_chosen: ContextVar[int | None] = ContextVar("nanospa_threads", default=None)


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Set the number of threads of every kernel called inside the block.

    Parameters
    ----------
    n : int
        Number of threads, at least 1; 1 keeps the work on the calling thread.

    Raises
    ------
    InvalidValueError
        `n` is below 1 or not an integer.

    Examples
    --------
    >>> import nanospa as ns
    >>> with ns.threads(2):
    ...     pass
    """
    token = _chosen.set(_checked("n", n))
    try:
        yield
    finally:
        _chosen.reset(token)


def map_items(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` over independent items, as many at once as kernels may use threads, each with kernels on one thread; in the items' order."""
    n = resolve()
    if n == 1:
        yield from map(function, items)
        return

    def alone(item: T) -> R:
        with threads(1):
            return function(item)

    with ThreadPoolExecutor(n) as pool:
        yield from pool.map(alone, items)


def resolve(n: int | None = None) -> int:
    """Threads to use now; `n` is the explicit argument of a function, None where none was given."""
    if n is not None:
        return _checked("threads", n)
    if (chosen := _chosen.get()) is not None:
        return chosen
    if text := os.environ.get("NANOSPA_NUM_THREADS"):
        return _checked("NANOSPA_NUM_THREADS", text)
    if _in_dask_worker():
        return 1
    return available_cores()


def available_cores() -> int:
    """Cores this process may use: CPU affinity, limited by the cgroup quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(cores, quota) if quota else cores)


def _checked(name: str, n: object) -> int:
    try:
        number = int(str(n))
    except ValueError:
        number = 0
    if number < 1:
        raise InvalidValueError(f"{name}: expected an integer >= 1, found {n!r}")
    return number


def _in_dask_worker() -> bool:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except (AttributeError, ValueError):
        return False
    return True


def _cgroup_quota() -> int | None:
    """Whole cores of the cgroup v2 or v1 CPU quota; None without one."""
    root = Path("/sys/fs/cgroup")
    try:
        if (v2 := root / "cpu.max").exists():
            quota, period = v2.read_text().split()
        else:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text()
            period = (root / "cpu/cpu.cfs_period_us").read_text()
        cores = float(quota) / float(period)
    except (OSError, ValueError):
        return None
    return max(1, math.ceil(cores)) if cores > 0 else None
