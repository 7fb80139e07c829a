"""The lock of a store where the file system has none: a file that names its process."""

import os
import subprocess
import sys

import pytest
from nanospa import errors
from nanospa.pipeline import session_lock
from nanospa.pipeline.session_lock import is_held

fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def path(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / "run.zarr").mkdir()
    return tmp_path / "run.zarr"


def test_one_at_a_time(path):
    with session_lock.session_lock(path):
        assert is_held(path)
        with pytest.raises(errors.StoreError, match=r"another process acquires .* if the process that .*run\.zarr\.lock names"):
            session_lock.session_lock(path).__enter__()
        assert is_held(path)
    assert not is_held(path) and [p.name for p in path.parent.iterdir()] == ["run.zarr"]


@pytest.mark.parametrize("how", ["gone", "another by now", "elsewhere", "being written"])
def test_whose_it_is(path, how):
    """A process that was killed holds nothing; one on another computer may live."""
    import socket

    import psutil

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    start = psutil.Process().create_time()
    text = {
        "gone": f"{socket.gethostname()} {gone.pid} {start:.0f}",
        "another by now": f"{socket.gethostname()} {os.getpid()} {start - 100:.0f}",
        "elsewhere": f"elsewhere {gone.pid} {start:.0f}",
        "being written": "",
    }
    (path.parent / "run.zarr.lock").write_text(text[how])
    assert is_held(path) == (how in ("elsewhere", "being written"))
