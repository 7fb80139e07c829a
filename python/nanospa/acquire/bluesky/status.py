"""A command under way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Status:
    """A command under way, as bluesky wants it.

    Parameters
    ----------
    future : concurrent.futures.Future
        The command.
    """

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    @property
    def done(self) -> bool:
        """Whether the command has ended."""
        return self._future.done()

    @property
    def success(self) -> bool:
        """Whether it has ended well."""
        return self._future.done() and not self._future.cancelled() and self._future.exception() is None

    def exception(self, timeout: float | None = 0.0) -> BaseException | None:
        """What went wrong, None where nothing did.

        Parameters
        ----------
        timeout : float or None
            Longest wait for the end of the command [s].
        """
        return self._future.exception(timeout)

    def add_callback(self, callback: Callable[[Status], None]) -> None:
        """Call a function when the command has ended; now where it has.

        Parameters
        ----------
        callback : callable
            Takes this status.
        """
        self._future.add_done_callback(lambda _: callback(self))

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the end of the command; raises what went wrong.

        Parameters
        ----------
        timeout : float, optional
            Longest wait [s].
        """
        self._future.result(timeout)
