"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time: a red run can be repeated. No deadline: shared machines pause.
settings.register_profile("nanospa", derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nanospa")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real and synthetic test data, which is not part of the repository."""
    folder = Path(os.environ.get("NANOSPA_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("test data not found: set NANOSPA_TEST_DATA to its folder")
    return folder
