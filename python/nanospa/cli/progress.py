"""Progress bars with the time that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nanospa.cli import output

#: Items a second below which no rate is shown.
RATE = 0.05


@contextmanager
def progress_bars(*, wanted: bool) -> Iterator[Callable[..., None] | None]:
    """A function for `nanospa.pipeline.run` and `acquire` that shows a bar a stage on stderr; None where none is wanted."""
    if not wanted or output.level() < 0:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        TextColumn("[red]{task.fields[failed]}"),
    )
    # Without a terminal rich prints the bars once, at the end; without a bar it would print an empty line.
    bars = Progress(*columns, console=console)
    tasks: dict[str, Any] = {}

    def show(stage: str, done: float, total: int, failed: int, *, note: str | None = None) -> None:
        if total == 0:
            return
        if not tasks:
            bars.start()
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total, rate="", failed="", note="")
        speed = bars.tasks[tasks[stage]].speed
        rate = f"{speed:.1f}/s" if speed and speed > RATE else ""
        said: dict[str, Any] = {} if note is None else {"note": note}
        # The total of an acquisition is an estimate that changes.
        bars.update(tasks[stage], completed=done, total=total, rate=rate, failed=f"{failed} failed" if failed else "", **said)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
