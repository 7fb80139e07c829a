"""Which files a user means."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from nanospa.errors import EmptyInputError
from nanospa.io.formats import extensions


def frame_paths(pattern: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files of a pattern, a folder or a list, in natural order (2 before 10).

    Parameters
    ----------
    pattern : str, Path or iterable of these
        A file, a glob pattern (``**`` descends), a folder (every file in it of a known format), or several of these.

    Returns
    -------
    list of Path
        Each file once. Patterns of a list keep the list's order; only the files of one pattern are sorted.

    Raises
    ------
    EmptyInputError
        A pattern or folder has no file.

    Examples
    --------
    >>> import numpy as np, nanospa as ns, tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for i in (10, 2):
    ...     np.save(folder / f"frame{i}.npy", np.zeros((4, 4)))
    >>> [path.name for path in ns.io.frame_paths(folder)]
    ['frame2.npy', 'frame10.npy']
    """
    patterns = [pattern] if isinstance(pattern, (str, Path)) else list(pattern)
    if not patterns:
        raise EmptyInputError("pattern: expected at least one file, folder or pattern, found none")
    found: dict[Path, None] = {}
    for one in patterns:
        found.update(dict.fromkeys(_expand(Path(one).expanduser())))
    return list(found)


def _expand(path: Path) -> list[Path]:
    known = extensions()
    if path.is_file() or path.suffix.lower() == ".zarr":
        return [path]
    if path.is_dir():
        files = [p for p in path.iterdir() if p.suffix.lower() in known and not p.name.startswith(".")]
        if not files:
            raise EmptyInputError(f"{path}: expected a folder with image files ({' '.join(sorted(known))}), found none")
        return sorted(files, key=natural)
    files = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [p for p in files if p.is_file() or p.suffix.lower() == ".zarr"]
    if not files:
        raise EmptyInputError(f"{path}: expected at least one image file, found none")
    return sorted(files, key=natural)


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Key that sorts numbers inside names by value."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", str(path)) if part]
