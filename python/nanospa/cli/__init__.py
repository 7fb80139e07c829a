"""The command line: ``nanospa <command>``."""

from nanospa.cli.app import app, main

__all__ = ["app", "main"]
