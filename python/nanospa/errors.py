"""Everything nanospa raises or warns with.

Each error is a `NanospaError` and also the builtin a user would catch. `kind` is a stable name: messages may change, kinds do not.
"""

from __future__ import annotations


class NanospaError(Exception):
    """Base of every error of nanospa."""

    kind = "error"


class InvalidValueError(NanospaError, ValueError):
    """An argument has a value outside its range."""

    kind = "invalid_value"


class ShapeError(NanospaError, ValueError):
    """An array has the wrong rank or shape, or two arrays do not fit each other."""

    kind = "shape"


class DtypeError(NanospaError, TypeError):
    """An array has a dtype that is not accepted."""

    kind = "dtype"


class NonFiniteError(NanospaError, ValueError):
    """An array holds NaN or infinity."""

    kind = "non_finite"


class EmptyInputError(NanospaError, ValueError):
    """There is nothing to work on: an empty folder, pattern, image or table."""

    kind = "empty_input"


class SettingsError(NanospaError, ValueError):
    """Settings have an unknown key, a wrong type or a value outside its range."""

    kind = "settings"


class PixelSizeError(NanospaError, ValueError):
    """A pixel size is needed and unknown, or is not positive."""

    kind = "pixel_size"


class UnknownNameError(NanospaError, KeyError):
    """A name (preset, column, method, driver) is not known."""

    kind = "unknown_name"

    def __str__(self) -> str:
        # KeyError would show the message as a quoted literal.
        return str(self.args[0]) if self.args else ""


class UnknownFormatError(NanospaError, ValueError):
    """No reader or writer for a file."""

    kind = "unknown_format"


class UnreadableFileError(NanospaError, OSError):
    """A file is missing, truncated or not what its name says."""

    kind = "unreadable_file"


class StoreError(NanospaError, OSError):
    """A store cannot be opened, created or written."""

    kind = "store"


class StoreSchemaError(NanospaError, ValueError):
    """A store was made with another schema, or is not a nanospa store."""

    kind = "store_schema"


class MissingExtraError(NanospaError, ImportError):
    """An optional package is needed; the message names the extra to install."""

    kind = "missing_extra"


class SchedulerError(NanospaError, ConnectionError):
    """The scheduler cannot be reached, or was lost."""

    kind = "scheduler"


class MicroscopeError(NanospaError, OSError):
    """A microscope does not do what it was asked for; base of what a driver raises."""

    kind = "microscope"


class StageLimitError(MicroscopeError, ValueError):
    """A stage position outside the limits; the stage has not moved."""

    kind = "stage_limit"


class StageError(MicroscopeError):
    """The stage stalled, or did not arrive where it was sent."""

    kind = "stage"


class BeamError(MicroscopeError):
    """There is no beam."""

    kind = "beam"


class DetectorError(MicroscopeError):
    """A detector gave no image, or a damaged one."""

    kind = "detector"


class AcquisitionTimeout(MicroscopeError, TimeoutError):  # noqa: N818 (the field's interfaces name it so)
    """An image or a move took longer than it may."""

    kind = "acquisition_timeout"


class ItemsFailedError(NanospaError, RuntimeError):
    """Some items of a run failed; what succeeded is kept."""

    kind = "items_failed"


class NanospaWarning(UserWarning):
    """Something a user should know and can act on; the result stands."""


def _tree(root: type[NanospaError]) -> dict[str, type[NanospaError]]:
    table = {root.kind: root}
    for child in root.__subclasses__():
        table.update(_tree(child))
    return table


BY_KIND: dict[str, type[NanospaError]] = _tree(NanospaError)
