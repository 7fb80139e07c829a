"""Commands on a store: one stage alone, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanospa.cli import options, output
from nanospa.cli.main_job import execute


def _stage(
    stages: tuple[str, ...],
    store: Path,
    settings: tuple[Path | None, str | None, str | None, list[str] | None],
    scheduler: str | None,
    as_json: bool,
) -> None:
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
    model: Annotated[
        Path | None, typer.Option("--model", help="Segment with this trained model (Rescorer or PixelClassifier).", metavar="FILE")
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            help="Train a model from --labels, --scribbles or the corrected labels in the store; save it here and segment with it.",
            metavar="FILE",
        ),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            "--labels",
            help="All particles of frame --frame, for --train: a label image, or a .csv of boxes y0, x0, y1, x1 in px; may be repeated.",
            metavar="FILE",
        ),
    ] = None,
    scribbles: Annotated[
        Path | None,
        typer.Option(
            "--scribbles", help="Scribbles on the frame --frame, for --train: an image of 0, 1 = background, 2 = particle.", metavar="FILE"
        ),
    ] = None,
    frame: Annotated[
        list[int] | None,
        typer.Option("--frame", help="Row of the frame table that --corrected, --labels or --scribbles belongs to; 0 by default.", min=0),
    ] = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Find the particles of the frames in a store, take labels edited by hand back in, or train a model."""
    output.set_level(verbose, quiet)
    if corrected is not None:
        from nanospa import io, pipeline

        row = (frame or [0])[0]
        pipeline.correct(store, row, io.read(corrected).to_numpy())
        output.say(f"frame {row} has corrected labels; nanospa measure {store} takes them into the tables")
        return
    from nanospa.cli.training import train_model, with_model
    from nanospa.errors import SettingsError
    from nanospa.io.store import Store
    from nanospa.pipeline.run import settings_of

    if train is None and (labels or scribbles is not None):
        raise SettingsError("--train: expected the file to save the model in with --labels or --scribbles, found none")
    if train is not None and model is not None:
        raise SettingsError("--model: expected either --train or --model, found both")
    # Settings first: nothing is trained for settings that cannot be used.
    chosen = options.settings(settings_of(Store.open(store)), settings, preset, None, overrides, None)
    if train is not None:
        train_model(store, train, labels or [], scribbles, frame or [0], say=not as_json)
    chosen = with_model(chosen, train if model is None else model)
    if preview is not None:
        from nanospa.cli.preview import write_preview

        write_preview(chosen, store, preview, as_json=as_json)
        return
    execute(chosen, store, scheduler, ("segment",), as_json=as_json, write_report=False)


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
