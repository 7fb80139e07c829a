"""What a driver will not do, told apart from arguments that nanospa or a callable of the user got wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nanospa.errors import InvalidValueError


class Refusal(Exception):  # noqa: N818 (it never leaves a session: a fault is made of it)
    """A value that a driver has refused, such as a beam shift out of its range."""

    kind = InvalidValueError.kind


@contextlib.contextmanager
def asked() -> Iterator[None]:
    """Around a call of a driver: an `InvalidValueError` inside is a `Refusal`."""
    try:
        yield
    except InvalidValueError as error:
        raise Refusal(str(error)) from error
