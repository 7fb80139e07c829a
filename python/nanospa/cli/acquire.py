"""acquire: a session on a microscope, that Ctrl-C pauses and the same command goes on with."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanospa.cli import options, output
from nanospa.cli.main_job import show_result
from nanospa.cli.progress import progress_bars

if TYPE_CHECKING:
    from nanospa.pipeline import AcquisitionProgress, Settings, Summary

#: Exit code of a session that was paused: there is more to do.
PAUSED = 3


def acquire(
    settings: Annotated[Path | None, typer.Argument(help="YAML file with settings.", show_default=False)] = None,
    microscope: Annotated[
        str | None, typer.Option("--microscope", help="Name of the driver; simulated by default.", metavar="NAME", show_default=False)
    ] = None,
    store: options.StoreOption = Path("run.zarr"),
    plan: Annotated[
        str | None, typer.Option("--plan", help="Plan by name: slater2020 (the default), atomic.", metavar="NAME", show_default=False)
    ] = None,
    preset: options.Preset = None,
    overrides: options.Overrides = None,
    scheduler: options.Scheduler = None,
    dry_run: options.DryRun = False,
    abort: Annotated[bool, typer.Option("--abort", help="End the session of the store for good; what was acquired is kept.")] = False,
    no_analysis: Annotated[bool, typer.Option("--no-analysis", help="Only acquire: find, measure and group nothing.")] = False,
    no_report: options.NoReport = False,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Acquire a session unattended and analyse it meanwhile; Ctrl-C pauses it, the same command goes on with it."""
    output.set_level(verbose, quiet)
    if abort:
        from nanospa import pipeline

        said = pipeline.abort(store)
        output.say(f"{store}: {said}; nanospa acquire --store {store} analyses what was acquired")
        return
    chosen = chosen_settings(settings, store, preset, plan, microscope, overrides)
    if dry_run:
        from nanospa.cli.estimate import print_session_estimate

        print_session_estimate(chosen, store, as_json=as_json)
        return
    execute(chosen, store, scheduler, analyse=not no_analysis, as_json=as_json, write_report=not no_report)


def chosen_settings(
    path: Path | None, store: Path, preset: str | None, plan: str | None, microscope: str | None, overrides: list[str] | None
) -> Settings:
    """Settings of a session: those of the store, a file or a preset, changed by the options."""
    from nanospa.pipeline.settings import changed, with_overrides

    base = None
    if path is None and preset is None and store.exists():
        from nanospa.io.store import Store
        from nanospa.pipeline.run import settings_of

        base = settings_of(Store.open(store))
    chosen = options.settings(base, path, preset, None, None, None)
    if plan is not None or chosen.acquire is None:
        chosen = changed(chosen, {"acquire": plan or "slater2020"})
    assert chosen.acquire is not None
    if microscope is not None and microscope != chosen.acquire.microscope:
        # The options are those of another driver.
        section = chosen.acquire.model_copy(update={"microscope": microscope, "options": {}})
        chosen = chosen.model_copy(update={"acquire": section})
    return with_overrides(chosen, overrides or [])


def execute(settings: Settings, store: Path, scheduler: Any, *, analyse: bool, as_json: bool, write_report: bool) -> Summary:
    """Run or go on with a session, print its result and end with its exit code."""
    from nanospa import pipeline

    with progress_bars(wanted=not as_json) as bars, Interruption() as interruption:

        def show(event: Any, progress: AcquisitionProgress) -> None:
            if bars is not None:
                bars("acquire", progress.n_images, progress.n_expected, 0, note=_note(progress))

        def tell(stage: str, done: float, total: int, failed: int) -> None:
            if stage != "acquire":
                interruption.over()
            if bars is not None:
                bars(stage, done, total, failed)

        summary = pipeline.acquire(
            settings, store, scheduler=scheduler, analyse=analyse, progress=tell, on_event=show, stop=interruption.pressed
        )
    paused = summary.acquisition.get("state") == "paused"
    show_result(summary, settings, store, as_json=as_json, write_report=write_report and not paused)
    if paused:
        if not as_json:
            output.say(f"go on with   nanospa acquire --store {store}")
            output.say(f"or end with  nanospa acquire --store {store} --abort")
        raise typer.Exit(PAUSED)
    raise typer.Exit(summary.exit_code)


class Interruption:
    """Ctrl-C, or the word to a process to end, as a wish to pause; a second one ends it at once."""

    def __init__(self) -> None:
        self._pressed = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._press) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        self.over()

    def pressed(self) -> bool:
        """Whether somebody wants a pause."""
        return self._pressed

    def over(self) -> None:
        """From now on Ctrl-C ends the process, as it does elsewhere."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _press(self, number: int, frame: Any) -> None:
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True
        output.complain("pausing after the image in flight; once more ends it at once")


def _note(progress: AcquisitionProgress) -> str:
    """Time of the instrument, and how much it is going to be: of a simulated one it is not the time that passes."""
    spent, left = progress.clock_s - progress.started_s, progress.seconds_left
    return f"instrument {_hours(spent)} of {_hours(spent + left)}" if left == left else f"instrument {_hours(spent)}"


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
