"""--preview: one frame with the outlines of its particles, to try settings before all frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.cli import output

if TYPE_CHECKING:
    from nanospa.pipeline import Settings


def write_preview(settings: Settings, store: Path, number: int, *, as_json: bool) -> None:
    """Segment one frame and write a PNG beside the store."""
    from nanospa import measure, report
    from nanospa.pipeline.trained_model import located, model_digest, segmented

    chosen = located(settings).segment
    image, size, source = _frame(settings, store, number)
    found = segmented(image, chosen, model_digest(chosen))
    n = int(found.labels.max(initial=0))
    path = store.with_name(f"{store.stem}_preview_{number}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = report.frame_outlines(image, measure.outlines(found.labels), pixel_size_nm=size, title=f"{source}: {n} particles")
    figure.savefig(path, dpi=200)
    if as_json:
        output.print_json(
            {"preview": str(path), "frame": number, "n_particles": n, "polarity": found.polarity, "threshold": found.threshold}
        )
    else:
        output.say(f"{source}: {n} particles, {found.polarity} on their background")
        for text in found.warnings:
            output.complain(f"warning: {text}")
        output.say(f"preview     {path}")


def _frame(settings: Settings, store: Path, number: int) -> tuple[Any, Any, str]:
    from nanospa.errors import InvalidValueError
    from nanospa.io.store import Store
    from nanospa.pipeline import frame_source
    from nanospa.pipeline.summary import Failure

    if settings.input.images:
        from nanospa import io

        failed: list[Failure] = []
        found = list(frame_source.of_files(io.frame_paths(settings.input.images), settings, failed))
    elif settings.simulate is not None:
        found = list(frame_source.simulated(settings))
    else:
        frames = frame_source.frames_of(Store.open(store))
        if number >= len(frames):
            raise InvalidValueError(f"--preview: expected a frame 0 … {len(frames) - 1}, found {number}")
        frame = frames[number]
        return Store.open(store).stacks.read(frame.stack, frame.index), frame.pixel_size_nm, Path(frame.source).name
    if number >= len(found):
        raise InvalidValueError(f"--preview: expected a frame 0 … {len(found) - 1}, found {number}")
    each = found[number]
    return frame_source.pixels(each.source, each.source_frame, settings), each.pixel_size_nm, Path(each.source).name
