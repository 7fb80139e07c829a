"""The app, its commands, and how errors end it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from nanospa.cli import acquire, demo, exchange, inspect, main_job, on_store, output, reconstruct

app = typer.Typer(
    name="nanospa",
    help="Find, measure, group and reconstruct nanoparticles in electron-microscope images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _common(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        import nanospa

        typer.echo(nanospa.__version__)
        raise typer.Exit


app.command()(demo.demo)
app.command()(main_job.run)
app.command()(acquire.acquire)
app.command()(on_store.segment)
app.command()(on_store.measure)
app.command()(on_store.cluster)
app.command()(reconstruct.reconstruct)
app.command()(on_store.report)
app.command()(inspect.info)
app.command()(exchange.convert)
app.command()(inspect.doctor)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments; those of the process by default.
    """
    from nanospa.errors import NanospaError

    try:
        app(args=None if arguments is None else list(arguments))
    except NanospaError as error:
        if output.level() > 0:
            raise
        # Some messages begin with what the kind says.
        text = str(error)
        output.complain(text if text.startswith(f"{error.kind}: ") else f"{error.kind}: {text}")
        sys.exit(output.exit_code(error))
    except OSError as error:
        if output.level() > 0:
            raise
        # A full disk, a vanished network drive: the system says what.
        output.complain(f"system: {error}")
        sys.exit(1)
    except Exception as error:
        if output.level() > 0:
            raise
        output.complain(f"internal error: {type(error).__name__}: {error} (-v shows where)")
        sys.exit(1)
