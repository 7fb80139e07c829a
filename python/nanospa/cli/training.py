"""segment --train and --model: from files with marks to a saved model and settings that use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.cli import output

if TYPE_CHECKING:
    from nanospa.pipeline import Settings

#: Columns of a table of boxes, in the order of `nanospa.segment.Rescorer.fit`.
BOX_COLUMNS = ("y0", "x0", "y1", "x1")


def train_model(store: Path, path: Path, labels: Sequence[Path], scribbles: Path | None, frames: Sequence[int], *, say: bool) -> None:
    """Train on files with marks, or on the corrected labels of the store, and save the model."""
    from nanospa import io, pipeline
    from nanospa.errors import SettingsError

    if labels and len(labels) != len(frames):
        raise SettingsError(f"--frame: expected one for each of {len(labels)} --labels, found {len(frames)}")
    if len(set(frames)) != len(frames):
        raise SettingsError(f"--frame: expected different frames, found {', '.join(map(str, frames))}")
    if labels and scribbles is not None:
        raise SettingsError("--scribbles: expected either --scribbles or --labels, found both")
    marks = {row: _marks(file) for row, file in zip(frames, labels, strict=False)}
    drawn = {} if scribbles is None else dict.fromkeys(frames, io.read(scribbles).to_numpy())
    model = pipeline.train(store, path, marks=marks, scribbles=drawn)
    if say:
        output.say(f"model       {path} ({type(model).__name__})")


def with_model(settings: Settings, path: Path | None) -> Settings:
    """Settings that segment with a model, if there is one."""
    from nanospa.pipeline.settings import changed

    return settings if path is None else changed(settings, {"segment": {"method": "trained", "model_file": str(path)}})


def _marks(path: Path) -> Any:
    """A label image, or boxes of a CSV file."""
    from nanospa import io
    from nanospa.errors import UnreadableFileError

    if path.suffix.lower() != ".csv":
        return io.read(path).to_numpy()
    import pandas as pd

    try:
        return pd.read_csv(path)[list(BOX_COLUMNS)].to_numpy(dtype=float)
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableFileError(
            f"{path}: expected a table with the columns {', '.join(BOX_COLUMNS)}, found none ({' '.join(str(error).split())})"
        ) from error
