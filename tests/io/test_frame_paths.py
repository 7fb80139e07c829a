"""Files of patterns and folders."""

import numpy as np
import pytest
from nanospa import errors, io


def test_natural_order_and_each_file_once(tmp_path):
    for name in ("f10", "f2", "f1", "g1"):
        np.save(tmp_path / f"{name}.npy", np.zeros((2, 2)))
    (tmp_path / "notes.txt").write_text("no image")
    assert [p.stem for p in io.frame_paths(tmp_path)] == ["f1", "f2", "f10", "g1"]
    assert [p.stem for p in io.frame_paths(f"{tmp_path}/f*.npy")] == ["f1", "f2", "f10"]
    assert [p.stem for p in io.frame_paths([tmp_path / "g1.npy", f"{tmp_path}/*.npy"])] == ["g1", "f1", "f2", "f10"]


def test_folders_below(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    np.save(tmp_path / "a" / "b" / "f.npy", np.zeros((2, 2)))
    assert len(io.frame_paths(f"{tmp_path}/**/*.npy")) == 1


def test_nothing_there(tmp_path):
    with pytest.raises(errors.EmptyInputError, match="expected a folder with image files"):
        io.frame_paths(tmp_path)
    with pytest.raises(errors.EmptyInputError, match="expected at least one image file"):
        io.frame_paths(tmp_path / "*.tif")
    with pytest.raises(errors.EmptyInputError, match="pattern"):
        io.frame_paths([])
