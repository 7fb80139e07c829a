"""What commands print, and the exit codes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import typer

from nanospa.cli.reconstruction_table import reconstruction_table

if TYPE_CHECKING:
    from nanospa.errors import NanospaError
    from nanospa.pipeline import Summary

#: Kinds of error that a user mends before anything can start: exit code 2. The others end a run that had started: 1.
USAGE = {
    "settings",
    "store",
    "store_schema",
    "empty_input",
    "unknown_name",
    "pixel_size",
    "invalid_value",
    "unknown_format",
    "missing_extra",
    "scheduler",
}
#: Exit code of a run of which nothing succeeded.
FAILED = 1
#: Failures listed; the store's status table has all.
_MOST = 10

_level = 0


def set_level(verbose: int, quiet: bool) -> None:
    """How much to print: −1 errors only, 0 normal, 1 and more with tracebacks."""
    global _level
    _level = -1 if quiet else verbose


def level() -> int:
    """How much to print."""
    return _level


def exit_code(error: NanospaError) -> int:
    """Exit code of an error that ended a command."""
    return 2 if error.kind in USAGE else 1


def complain(text: str) -> None:
    """One line to stderr."""
    typer.echo(f"nanospa: {text}", err=True)


def say(text: str = "") -> None:
    """A line to stdout, unless quiet."""
    if _level >= 0:
        typer.echo(text)


def counted(n: int, noun: str) -> str:
    """A number and its noun, in the singular where it is one."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def print_json(document: Any) -> None:
    """A JSON document to stdout; NaN and infinity become null."""
    typer.echo(json.dumps(_finite(document), indent=2, ensure_ascii=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_summary(summary: Summary, report: str | None) -> None:
    """The result of a run in a few lines, truth beside it where it is known."""
    if summary.exit_code == FAILED:
        # What follows from that is no news.
        print_failures(summary)
        say(f"store       {summary.store}")
        return
    truth = summary.truth
    if summary.acquisition:
        _print_acquisition(summary)
    single = "n_distinct" in truth
    beside = f"   truth: {truth['n_distinct' if single else 'n_true']:.0f}" if "n_true" in truth else ""
    say(f"frames      {summary.n_frames}")
    counted = f"{summary.n_counted} whole ones, each once, in {summary.n_particles} regions" if single else f"{summary.n_particles}"
    say(f"particles   {counted}{beside}")
    if "found_fraction" in truth:
        mean = f", mean IoU {truth['mean_iou']:.3f}" if "mean_iou" in truth else ""
        whole = " that lie whole in an image" if single else ""
        say(f"found       {100 * truth['found_fraction']:.1f} % of the true particles{whole} (IoU > 0.5){mean}")
    if "imaged_fraction" in truth:
        once = f", {100 * truth['counted_once_fraction']:.1f} % of those found counted once" if "counted_once_fraction" in truth else ""
        say(f"imaged      {100 * truth['imaged_fraction']:.1f} % of the particles of the surveyed area{once}")
    if "n_false" in truth:
        say(f"false       {truth['n_false']:.0f} of the {summary.n_counted} whole ones match no true particle")
    for size in summary.sizes:
        if size["found_nm"] is not None and size["true_nm"] is not None:
            say(
                f"  {size['population']:<9} {size['n_found']} of {size['n_true']} whole ones, equivalent diameter "
                f"{size['found_nm']:.2f} nm   truth: {size['true_nm']:.2f} nm"
            )
    if summary.n_clusters or "cluster" in summary.n_done:
        # Where those that are cut or were seen before take part too, they are among the clusters.
        asked = summary.n_counted if summary.n_in_clusters <= summary.n_counted else summary.n_particles
        share = 100 * summary.n_in_clusters / max(asked, 1)
        pure = f", purity {100 * truth['purity']:.1f} %" if "purity" in truth else ""
        say(f"clusters    {summary.n_clusters} with {summary.n_in_clusters} particles ({share:.0f} %){pure}")
    if summary.reconstructions:
        for line in reconstruction_table(summary.reconstructions):
            say(line)
    skipped = sum(summary.n_skipped.values())
    done = sum(summary.n_done.values())
    say(f"work        {done} items done, {skipped} kept from before; {sum(summary.seconds.values()):.1f} s")
    for text in summary.warnings:
        complain(f"warning: {text}")
    print_failures(summary)
    say(f"store       {summary.store}")
    if report is not None:
        say(f"report      {report}")


def _print_acquisition(summary: Summary) -> None:
    found = summary.acquisition
    why = f" ({found['reason']})" if found.get("reason") else ""
    taken = f"{counted(found['n_images'], 'image')} of {counted(found['n_surveys'], 'survey')}"
    say(f"session     {found.get('state', 'running')}{why}: {taken}")
    if found["seconds_an_image"] is not None:
        say(f"instrument  {found['instrument_s'] / 3600:.2f} h, {found['seconds_an_image']:.1f} s an image all in")
    if found["n_faults"] or found["n_skipped"]:
        faults = counted(found["n_faults"], "fault")
        say(f"            {faults}, {found['n_skipped']} positions or tiles left out: see the table 'acquisition'")


def print_failures(summary: Summary) -> None:
    """The items that failed, to stderr."""
    for failure in summary.failed[:_MOST]:
        complain(f"{failure.stage} failed: {failure.kind}: {failure.message}")
    if len(summary.failed) > _MOST:
        complain(f"… and {len(summary.failed) - _MOST} more failed, see the table 'status' of the store")
