"""The command run: the main job on images of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanospa.cli import options, output
from nanospa.cli.progress import progress_bars

if TYPE_CHECKING:
    from nanospa.pipeline import Settings, Summary


def run(
    settings: Annotated[Path | None, typer.Argument(help="YAML file with settings.", show_default=False)] = None,
    images: Annotated[list[str] | None, typer.Option("--images", help="File, folder or quoted pattern; may be repeated.")] = None,
    store: options.StoreOption = Path("run.zarr"),
    preset: options.Preset = None,
    pixel_size_nm: options.PixelSize = None,
    overrides: options.Overrides = None,
    scheduler: options.Scheduler = None,
    dry_run: options.DryRun = False,
    preview: options.Preview = None,
    no_report: options.NoReport = False,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Segment, measure, group and reconstruct the particles of all images into one store, and report."""
    output.set_level(verbose, quiet)
    base = None
    if settings is not None:
        _refuse_images(settings)
    if settings is None and preset is None and store.exists():
        from nanospa.io.store import Store
        from nanospa.pipeline.run import settings_of

        base = settings_of(Store.open(store))
    chosen = options.settings(base, settings, preset, pixel_size_nm, overrides, images)
    if dry_run:
        from nanospa.cli.estimate import print_estimate

        print_estimate(chosen, store, scheduler, as_json=as_json)
        return
    if preview is not None:
        from nanospa.cli.preview import write_preview

        write_preview(chosen, store, preview, as_json=as_json)
        return
    execute(chosen, store, scheduler, None, as_json=as_json, write_report=not no_report)


def _refuse_images(path: Path) -> None:
    """Images given where the settings go: `nanospa run a.tif`, or a pattern without quotes that the shell has expanded."""
    from nanospa.errors import SettingsError
    from nanospa.io.formats import extensions

    if path.is_dir() or path.suffix.lower() in extensions():
        raise SettingsError(
            f"{path}: expected a YAML file with settings, found images; give images as --images '{path}', patterns in quotes"
        )


def execute(
    settings: Settings, store: Path, scheduler: Any, stages: tuple[str, ...] | None, *, as_json: bool, write_report: bool
) -> Summary:
    """Run stages, write the report, print the summary and end with its exit code."""
    from nanospa import pipeline

    with progress_bars(wanted=not as_json) as progress:
        summary = pipeline.run(settings, store, scheduler=scheduler, stages=stages, progress=progress)
    show_result(summary, settings, store, as_json=as_json, write_report=write_report)
    raise typer.Exit(summary.exit_code)


def show_result(summary: Summary, settings: Settings, store: Path, *, as_json: bool, write_report: bool) -> None:
    """Write the report, and print what came of a run."""
    page = None
    if write_report and summary.n_frames:
        from nanospa import report

        page = str(report.report(store, settings.report.path or store.with_name(store.stem + "_report.html")))
        if settings.report.figures is not None:
            report.figures(store, settings.report.figures)
    if as_json:
        output.print_json({**summary.as_dict(), "report": page})
    else:
        output.print_summary(summary, page)
