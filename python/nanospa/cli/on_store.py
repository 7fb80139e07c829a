"""Commands on a store: one stage alone, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanospa.cli import options, output


def _stage(
    stages: tuple[str, ...],
    store: Path,
    settings: tuple[Path | None, str | None, str | None, list[str] | None],
    scheduler: str | None,
    as_json: bool,
) -> None:
    from nanospa.cli.main_job import execute
    from nanospa.io.store import Store
    from nanospa.pipeline.run import settings_of

    path, preset, size, overrides = settings
    base = settings_of(Store.open(store))
    execute(options.settings(base, path, preset, size, overrides, None), store, scheduler, stages, as_json=as_json, write_report=False)


SettingsFile = Annotated[Path | None, typer.Option("--settings", help="YAML file with settings instead of those of the store.")]


def segment(
    store: options.StoreArgument,
    settings: SettingsFile = None,
    preset: options.Preset = None,
    overrides: options.Overrides = None,
    scheduler: options.Scheduler = None,
    preview: options.Preview = None,
    corrected: Annotated[
        Path | None, typer.Option("--corrected", help="Take the edited labels of the frame --frame from this image file.", metavar="FILE")
    ] = None,
    frame: Annotated[int, typer.Option("--frame", help="Row of the frame table that --corrected belongs to.", min=0)] = 0,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Find the particles of the frames in a store, or take labels edited by hand back in."""
    output.set_level(verbose, quiet)
    if corrected is not None:
        from nanospa import io, pipeline

        pipeline.correct(store, frame, io.read(corrected).to_numpy())
        output.say(f"frame {frame} has corrected labels; nanospa measure {store} takes them into the tables")
        return
    if preview is not None:
        from nanospa.cli.preview import write_preview
        from nanospa.io.store import Store
        from nanospa.pipeline.run import settings_of

        chosen = options.settings(settings_of(Store.open(store)), settings, preset, None, overrides, None)
        write_preview(chosen, store, preview, as_json=as_json)
        return
    _stage(("segment",), store, (settings, preset, None, overrides), scheduler, as_json)


def measure(
    store: options.StoreArgument,
    settings: SettingsFile = None,
    preset: options.Preset = None,
    overrides: options.Overrides = None,
    scheduler: options.Scheduler = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Measure the particles of a store; labels edited by hand count."""
    output.set_level(verbose, quiet)
    _stage(("measure",), store, (settings, preset, None, overrides), scheduler, as_json)


def cluster(
    store: options.StoreArgument,
    settings: SettingsFile = None,
    preset: options.Preset = None,
    overrides: options.Overrides = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Group the measured particles of a store."""
    output.set_level(verbose, quiet)
    _stage(("cluster",), store, (settings, preset, None, overrides), "sync", as_json)


def report(
    store: options.StoreArgument,
    path: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file; beside the store by default.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Also write every figure as PNG and SVG into this folder.")] = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Write the report of a store as one HTML file."""
    output.set_level(verbose, quiet)
    from nanospa import report as reporting

    page = reporting.report(store, path or store.with_name(store.stem + "_report.html"))
    files = [] if figures is None else reporting.figures(store, figures)
    if as_json:
        output.print_json({"report": str(page), "figures": [str(f) for f in files]})
        return
    output.say(f"report      {page}")
    if files:
        output.say(f"figures     {len(files)} files in {figures}")
