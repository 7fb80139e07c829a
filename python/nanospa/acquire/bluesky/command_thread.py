"""The thread that all calls of one microscope are made in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from nanospa.acquire.bluesky.status import Status
from nanospa.errors import MicroscopeError

T = TypeVar("T")


class CommandThread:
    """One thread, one call after the other: the RunEngine stays free, and instruments that know one thread alone are safe."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"nanospa-{name}")

    def ask(self, call: Callable[[], T]) -> T:
        """What a call gives, when it was its turn."""
        return self._submit(call).result()

    def start(self, call: Callable[[], Any]) -> Status:
        """Status of a call that is made when it is its turn."""
        return Status(self._submit(call))

    def end(self) -> None:
        """Wait for the calls under way, then end the thread."""
        self._thread.shutdown()

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        try:
            return self._thread.submit(call)
        except RuntimeError as error:
            raise MicroscopeError(f"{self.name}: expected open devices, found them closed") from error
