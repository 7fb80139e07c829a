"""Trained models in a run: where the file lies, what is in it, and what it finds in a frame."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nanospa.errors import NanospaError, SettingsError

if TYPE_CHECKING:
    from nanospa.pipeline.settings import SegmentSection, Settings
    from nanospa.segment import PixelClassifier, Rescorer, Segmentation

#: What a zip file, and so a saved `PixelClassifier`, begins with; a saved `Rescorer` is JSON.
_ZIP = b"PK"


def load_model(path: str | Path) -> PixelClassifier | Rescorer:
    """The model that a file holds, whichever it is.

    Parameters
    ----------
    path : str or Path
        File that `PixelClassifier.save` or `Rescorer.save` wrote.

    Returns
    -------
    PixelClassifier or Rescorer

    Raises
    ------
    SettingsError
        There is no such file, or it holds something else.
    """
    from nanospa.segment import PixelClassifier, Rescorer

    kind = PixelClassifier if _content(path).startswith(_ZIP) else Rescorer
    try:
        return kind.load(path)
    except (NanospaError, ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError) as error:
        raise SettingsError(
            f"segment.model_file: expected a saved Rescorer or PixelClassifier, found {path} ({' '.join(str(error).split())})"
        ) from error


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"segment.model_file: expected a file with a trained model, found none that can be read ({error})") from error


def located(settings: Settings) -> Settings:
    """Settings with the whole path of the model, which is read once to see that it is one."""
    chosen = settings.segment
    if chosen.method != "trained":
        return settings
    if chosen.model_file is None:
        raise SettingsError("segment.model_file: expected the file of a trained model with method 'trained', found none")
    path = Path(chosen.model_file).resolve()
    load_model(path)
    return settings.model_copy(update={"segment": chosen.model_copy(update={"model_file": str(path)})})


def model_digest(settings: SegmentSection) -> str | None:
    """Hash of the model that is used; None where none is."""
    if settings.method != "trained" or settings.model_file is None:
        return None
    return hashlib.blake2b(_content(settings.model_file), digest_size=16).hexdigest()


def segmented(image: NDArray[Any], settings: SegmentSection, digest: str | None) -> Segmentation:
    """Segment a frame as the settings say, with the model whose hash is `digest` where they ask for one."""
    from nanospa import segment
    from nanospa.segment.segment import of_auto

    # Of a constant image no model is asked.
    if digest is None or image.size == 0 or image.min() == image.max():
        return segment.segment_with_report(image, settings=settings)
    model = _model(str(settings.model_file), digest)
    if isinstance(model, segment.PixelClassifier):
        return segment.segment_with_report(image, settings=settings, classifier=model)
    return of_auto(model.segment(image, min_area_px=settings.min_area_px), settings)


@functools.lru_cache(maxsize=2)
def _model(path: str, digest: str) -> PixelClassifier | Rescorer:
    """The model, read once a process."""
    if hashlib.blake2b(_content(path), digest_size=16).hexdigest() != digest:
        raise SettingsError(f"segment.model_file: {path} has changed since the run began; run again")
    return load_model(path)
