"""Hypothesis strategies, invariant checkers, the contract of drivers: for tests of and on top of nanospa (needs the ``test`` extra)."""

from nanospa.testing.invariants import check_labels
from nanospa.testing.microscope_contract import check_microscope
from nanospa.testing.strategies import images, label_images, masks

__all__ = ["check_labels", "check_microscope", "images", "label_images", "masks"]
