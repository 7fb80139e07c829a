"""The command demo: a whole session on a simulated microscope."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanospa.cli import acquire, options, output

#: Images of the demo: enough particles for clusters of more than 20 members, few enough for a minute on two cores.
DEMO_IMAGES = 40


def demo(
    store: options.StoreOption = Path("demo/run.zarr"),
    frames: Annotated[int, typer.Option("--frames", help="Images to acquire; the paper's session has 136.", min=1)] = DEMO_IMAGES,
    overrides: options.Overrides = None,
    scheduler: options.Scheduler = None,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """A whole session on a simulated microscope with known truth: acquire, find, measure, group, reconstruct; one store, one report."""
    output.set_level(verbose, quiet)
    from nanospa.errors import SettingsError

    if any(text.strip().startswith("simulate.") for text in overrides or ()):
        raise SettingsError(
            "--set simulate: the demo acquires its images on a simulated microscope; "
            "expected acquire.…, and acquire.options.… for the microscope and its specimen"
        )
    sets = [f"acquire.max_images={frames}", *(overrides or [])]
    chosen = acquire.chosen_settings(None, store, None, "slater2020", None, sets)
    if not as_json:
        output.say(
            f"Acquiring {frames} images of three populations (Au spheres, Pd cubes, PtNi stars) on a simulated microscope, "
            "meanwhile segment, then measure → cluster → reconstruct."
        )
    acquire.execute(chosen, store, scheduler, analyse=True, as_json=as_json, write_report=True)
