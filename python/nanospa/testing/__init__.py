"""Hypothesis strategies and invariant checkers for tests of and on top of nanospa (needs the ``test`` extra)."""

from nanospa.testing.invariants import check_labels
from nanospa.testing.strategies import images, label_images, masks

__all__ = ["check_labels", "images", "label_images", "masks"]
