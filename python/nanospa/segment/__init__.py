"""segment: from frames (y, x) to label images (y, x), 0 = background."""

from nanospa.segment.gaussian import gaussian

__all__ = ["gaussian"]
