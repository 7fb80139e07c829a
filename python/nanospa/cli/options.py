"""Options that mean the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nanospa.pipeline import Settings

StoreArgument = Annotated[Path, typer.Argument(help="Folder of the store.", show_default=False)]
StoreOption = Annotated[Path, typer.Option("--store", help="Folder of the store; made where there is none.")]
Preset = Annotated[str | None, typer.Option("--preset", help="Settings by name: auto, slater2020.")]
PixelSize = Annotated[str | None, typer.Option("--pixel-size-nm", help="Pixel size in nm, or y,x; wins over the files.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Change a setting: section.field=value.", metavar="SECTION.FIELD=VALUE")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="sync, local, local:N, tcp://host:port or a scheduler file; default local.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many items, how much time and disk it would take.")]
Preview = Annotated[int | None, typer.Option("--preview", help="Only segment frame N and write it with outlines.", metavar="N", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Verbose = Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more; errors with traceback.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.")]


def pixel_size(text: str | None) -> Any:
    """Pixel size of a text: one number or two with a comma."""
    from nanospa.errors import PixelSizeError
    from nanospa.schema import pixel_size_pair

    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise PixelSizeError(f"--pixel-size-nm: expected a number or y,x, found {text!r}") from None
    pixel_size_pair(numbers, "--pixel-size-nm")
    return numbers[0] if len(numbers) == 1 else numbers


def settings(
    base: Settings | None, path: Path | None, preset: str | None, size: str | None, overrides: list[str] | None, images: list[str] | None
) -> Settings:
    """Settings of a command: those of the store or of a file or preset, changed by the options."""
    from nanospa.errors import SettingsError
    from nanospa.pipeline import Settings
    from nanospa.pipeline.settings import changed, preset_settings, with_overrides

    if path is not None and preset is not None:
        raise SettingsError("--preset: expected either a settings file or a preset, found both; a file may have a key 'preset'")
    if path is not None:
        chosen = Settings.from_yaml(path)
    elif preset is not None:
        named = preset_settings(preset)
        # On a store the frames stay what they are.
        kept = {} if base is None else {"input": base.input.model_dump(), "simulate": base.simulate}
        chosen = changed(named, kept) if base is not None else named
    else:
        chosen = base or Settings()
    if images:
        chosen = changed(chosen, {"simulate": None, "input": {"images": tuple(images)}})
    if size is not None:
        chosen = changed(chosen, {"input": {"pixel_size_nm": pixel_size(size)}})
    return with_overrides(chosen, overrides or [])
