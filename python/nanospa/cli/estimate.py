"""--dry-run: what a run would take, from doing its first frame for real in a folder that is thrown away."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.cli import output

if TYPE_CHECKING:
    from nanospa.pipeline import Settings

#: A cluster of a hundred images at the default box, on two cores [s].
_SECONDS_A_CLUSTER = 10


def print_estimate(settings: Settings, store: Path, scheduler: str | None, *, as_json: bool) -> None:
    """Print items, seconds and bytes; writes nothing into the store."""
    from nanospa import _threads, io, pipeline
    from nanospa.errors import EmptyInputError
    from nanospa.pipeline import frame_source
    from nanospa.pipeline.settings import changed
    from nanospa.pipeline.summary import Failure

    failed: list[Failure] = []
    images: Any = None
    if settings.input.images:
        found = list(frame_source.of_files(io.frame_paths(settings.input.images), settings, failed))
        images = [found[0].source] if found else None
    else:
        found = list(frame_source.simulated(settings))
    if not found:
        raise EmptyInputError("--dry-run: expected readable images or a simulation, found none")
    one = settings if settings.simulate is None else changed(settings, {"simulate": {"n_frames": 1}})
    seconds, n_bytes, n_items = 0.0, 0, 1
    # The first pass pays for imports and caches, the second is what counts.
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            summary = pipeline.run(one, Path(folder) / "one.zarr", images=images, scheduler="sync", stages=("input", "segment", "measure"))
            seconds = time.perf_counter() - started
            n_items = max(summary.n_frames, 1)
            n_bytes = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
    workers = _n_workers(scheduler, _threads.available_cores())
    document: dict[str, Any] = {
        "frames": len(found),
        "items": 3 * len(found) + 1,
        "unreadable": [f.message for f in failed],
        "seconds_a_frame": seconds / n_items,
        "seconds": seconds / n_items * len(found) / workers,
        "workers": workers,
        "bytes": n_bytes / n_items * len(found),
        "store": str(store),
    }
    if as_json:
        output.print_json(document)
        return
    output.say(f"frames      {len(found)}, {document['items']} items")
    output.say(
        f"time        about {document['seconds']:.0f} s on {workers} workers ({seconds / n_items:.2f} s a frame), the clustering, "
        f"and {_SECONDS_A_CLUSTER} s or so for each cluster in 3D"
    )
    output.say(f"disk        about {document['bytes'] / 1e6:.1f} MB at {store}")
    for failure in failed:
        output.complain(f"{failure.kind}: {failure.message}")


def print_session_estimate(settings: Settings, store: Path, *, as_json: bool) -> None:
    """Print what a session takes where every position has images; neither the microscope nor the store is touched."""
    from nanospa.acquire.raster import serpentine

    plan = settings.acquire
    assert plan is not None
    n_positions = len(serpentine(plan.stage_y_um, plan.stage_x_um, plan.survey_step_um))
    a_survey = plan.tiles**2 if plan.target == "tiles" else plan.particles_per_survey
    n_images = plan.max_images if a_survey is None else min(n_positions * a_survey, plan.max_images or n_positions * a_survey)
    # As a rule: an image at the start and one at the end of each series; a series that begins far from focus takes up to twice as many.
    n_focus = 0 if plan.focus_every == 0 else -(-n_positions // plan.focus_every) * (plan.focus_samples + 2)
    scans = [
        (n_positions, plan.survey_shape, plan.survey_dwell_time_s),
        (n_focus, plan.focus_shape, plan.focus_dwell_time_s),
        (n_images, plan.image_shape, plan.image_dwell_time_s),
    ]
    seconds = sum((n or 0) * shape[0] * shape[1] * dwell for n, shape, dwell in scans)
    # Two bytes a pixel as the detector gives it, and label images that compress to nearly nothing.
    n_bytes = sum(2 * (n or 0) * shape[0] * shape[1] for n, shape, _ in (scans[0], scans[2]))
    document = {"positions": n_positions, "images": n_images, "scan_s": seconds, "bytes": n_bytes, "store": str(store)}
    if as_json:
        output.print_json(document)
        return
    output.say(f"positions   {n_positions}")
    output.say(f"images      {'any number' if n_images is None else f'{n_images} at most'}")
    output.say(f"scanning    {seconds / 3600:.2f} h where all of them are taken; moves, settling, fine focus and repeats come on top")
    output.say(f"disk        {n_bytes / 1e6:.0f} MB at most at {store}")


def _n_workers(scheduler: str | None, cores: int) -> int:
    text = scheduler or "local"
    if text == "sync":
        return 1
    number = text.partition(":")[2]
    return int(number) if text.startswith("local:") and number.isdigit() and int(number) else cores
