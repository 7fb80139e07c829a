"""Fixtures of the io tests."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path():
    """A folder that other users can enter, unlike pytest's: tests of permissions run as nobody when started by root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def unprivileged():
    """Call a function in a child process without root's rights; gives "" or "<Error>: <message>"."""

    def call(function):
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            # zarr and this test are made for it: the child only reads, or fails to write, and ends.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                if os.getuid() == 0:
                    os.setgid(65534)
                    os.setuid(65534)
                function()
                text = ""
            except BaseException as error:
                text = f"{type(error).__name__}: {error}"
            os.write(writer, text.encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as pipe:
            return pipe.read().decode()

    return call
