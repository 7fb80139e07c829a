"""Packages of the extras: where they must be there, a missing one is an error; elsewhere its tests are skipped."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

import pytest


def optional(name: str) -> ModuleType:
    """Module of an extra. `make test-extras` sets NANOSPA_TEST_EXTRAS, so that nothing is skipped there."""
    if os.environ.get("NANOSPA_TEST_EXTRAS"):
        return importlib.import_module(name)
    return pytest.importorskip(name)
