"""convert: images to other formats, and the results of a store for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nanospa.cli import options, output


def convert(
    source: Annotated[Path, typer.Argument(help="Image file, or a store.", show_default=False)],
    target: Annotated[
        Path,
        typer.Argument(
            help="Image file; of a store: .csv or .parquet (a table), .json (COCO outlines), .zip (ImageJ ROIs).", show_default=False
        ),
    ],
    table: Annotated[str, typer.Option("--table", help="Table of the store.")] = "particles",
    pixel_size_nm: options.PixelSize = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Convert an image file, or export tables and outlines of a store."""
    output.set_level(verbose, quiet)
    from nanospa import io
    from nanospa.errors import UnknownFormatError
    from nanospa.io.store import Store

    if _is_store(source):
        store = Store.open(source)
        suffix = target.suffix.lower()
        if suffix in (".csv", ".parquet"):
            io.write_table(store.read_table(table), target)
        elif suffix in (".json", ".zip"):
            _outlines(store, target)
        else:
            raise UnknownFormatError(f"{target}: expected .csv, .parquet, .json or .zip for a store, found {suffix!r}")
    else:
        io.write(io.read(source, pixel_size_nm=options.pixel_size(pixel_size_nm)), target)
    if as_json:
        output.print_json({"written": str(target)})
    else:
        output.say(f"written     {target}")


def _is_store(path: Path) -> bool:
    import json

    try:
        return "nanospa" in json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _outlines(store: Any, target: Path) -> None:
    """Outlines of every measured particle, in the order of the particle table."""
    import numpy as np

    from nanospa import io, measure
    from nanospa.pipeline.frame_source import frames_of
    from nanospa.pipeline.stages import labels_of
    from nanospa.schema.store import PARTICLES

    particles = store.read_table(PARTICLES)
    rows = particles["frame"].to_numpy()
    frames = frames_of(store)
    outlines: list[Any] = []
    for row in np.unique(rows):
        outlines += measure.outlines(labels_of(store, frames[int(row)])[0])
    if target.suffix.lower() == ".zip":
        names = [f"frame {row} label {label}" for row, label in zip(rows, particles["label"].to_numpy(), strict=True)]
        io.write_imagej_rois(target, outlines, names, positions=rows + 1)
        return
    images = [(f"{Path(f.source).name}" if f.source_frame == 0 else f"{Path(f.source).name}[{f.source_frame}]", *f.shape) for f in frames]
    areas, scores = particles["area_px"].to_numpy(), particles["score"].to_numpy() if "score" in particles else None
    io.write_coco(target, outlines, rows, images, areas_px=areas, scores=scores)
