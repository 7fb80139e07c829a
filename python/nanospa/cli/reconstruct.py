"""reconstruct: the clusters of a store in 3D."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nanospa.cli import options, output
from nanospa.cli.on_store import SettingsFile
from nanospa.cli.progress import progress_bars
from nanospa.cli.reconstruction_table import reconstruction_table


def reconstruct(
    store: options.StoreArgument,
    cluster: Annotated[
        list[int] | None, typer.Option("--cluster", help="Only this cluster; may be repeated.", metavar="N", min=0, show_default=False)
    ] = None,
    symmetry: Annotated[
        str | None,
        typer.Option(
            "--symmetry",
            help="Point group of the shape: C1, C2 …, D2 …, T, O, I; with --cluster of that cluster alone. O by default.",
            metavar="GROUP",
            show_default=False,
        ),
    ] = None,
    settings: SettingsFile = None,
    preset: options.Preset = None,
    overrides: options.Overrides = None,
    scheduler: options.Scheduler = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="Also write volumes (MRC), particles (MRCS, STAR) and meshes (STL, GLB) into this folder."),
    ] = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Reconstruct the clusters of a store in 3D, with a verdict on whether to believe each."""
    output.set_level(verbose, quiet)
    from nanospa import pipeline
    from nanospa.io.store import Store
    from nanospa.pipeline.run import settings_of
    from nanospa.pipeline.settings import changed

    chosen = options.settings(settings_of(Store.open(store)), settings, preset, None, overrides, None)
    if symmetry is not None:
        values: dict[str, Any] = (
            {"symmetry": symmetry, "symmetries": {}} if not cluster else {"symmetries": dict.fromkeys(cluster, symmetry)}
        )
        chosen = changed(chosen, {"reconstruct": values})
    with progress_bars(wanted=not as_json) as progress:
        summary = pipeline.reconstruct(store, chosen, clusters=cluster or None, scheduler=scheduler, progress=progress)
    rows = [row for row in summary.reconstructions if not cluster or row["cluster"] in cluster]
    files = [] if export is None else _exported(store, export, [row["name"] for row in rows if row["name"]])
    if as_json:
        output.print_json({**summary.as_dict(), "reconstructions": rows, "files": [str(file) for file in files]})
    else:
        for line in reconstruction_table(rows):
            output.say(line)
        for text in summary.warnings:
            output.complain(f"warning: {text}")
        output.print_failures(summary)
        output.say(f"store       {store}")
        if export is not None:
            output.say(f"exported    {output.counted(len(files), 'file')} in {export}")
    raise typer.Exit(summary.exit_code)


def _exported(store: Path, folder: Path, names: list[str]) -> list[Path]:
    """Files for other programs of every volume."""
    from nanospa import report
    from nanospa.io.store import Store

    volumes = Store.open(store).volumes
    files: list[Path] = []
    for name in names:
        files += report.export_reconstruction(volumes.read(name), folder, name=name)
    return files
