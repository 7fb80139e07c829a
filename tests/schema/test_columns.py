"""The tables' schema: every column once, with a unit, a dtype numpy knows and a meaning."""

import numpy as np
import pytest
from nanospa.schema import frames, particles


@pytest.mark.parametrize("columns", [particles.PARTICLE_COLUMNS, frames.FRAME_COLUMNS], ids=["particles", "frames"])
def test_columns_are_complete(columns):
    names = [column.name for column in columns]
    assert len(names) == len(set(names))
    for column in columns:
        assert column.unit and column.description and np.dtype(column.dtype)
        assert column.name == column.name.lower() and column.name.isidentifier()


def test_columns_are_found_by_name():
    assert particles.column("area_nm2").unit == "nm^2" and particles.column("area") is None
    assert particles.attributes("area_nm2") == {"units": "nm^2", "long_name": "area"}
    assert particles.attributes("area") == {}
    assert frames.column("blur").dtype == "bool" and frames.column("area_px") is None


def test_sizes_come_in_pairs():
    def bare(name):
        return name.removesuffix("_px").removesuffix("_nm2").removesuffix("_nm")

    assert [bare(c.name) for c in particles.SIZE_PX] == [bare(c.name) for c in particles.SIZE_NM]
    assert not [c for c in particles.measured(False) if c.unit.startswith("nm")]
