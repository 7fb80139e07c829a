"""Arrows that import-linter cannot see: who imports the extension, and the layers of the Rust core."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "nanospa"
CORE = ROOT / "rust" / "core" / "src"
#: Packages and modules that may import `nanospa._core`.
MAY_USE_CORE = {"segment", "measure", "cluster", "simulate", "acquire", "reconstruct", "trace", "stats", "_threads.py"}
#: Rust modules that stages share.
STAGES = {"segment", "measure", "simulate", "cluster", "reconstruct", "trace", "stats", "acquire"}


def imports_core(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        else:
            continue
        if any(name == "nanospa._core" or name.startswith("nanospa._core.") for name in names):
            return True
    return False


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_stages_use_the_extension(path):
    if imports_core(path):
        assert path.relative_to(PACKAGE).parts[0] in MAY_USE_CORE


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.rs")), ids=lambda p: str(p.relative_to(CORE)))
def test_rust_layers(path):
    used = set(re.findall(r"crate::(\w+)", path.read_text()))
    own = path.relative_to(CORE).parts[0].removesuffix(".rs")
    if own == "error":
        assert not used
    elif own in STAGES:
        assert not used & (STAGES - {own}), "stages never use each other"
    elif own != "lib":
        assert not used & STAGES, "the shared bottom never uses a stage"


def test_core_never_sees_pyo3():
    assert not [p for p in CORE.rglob("*.rs") if "pyo3" in p.read_text()]
    assert "pyo3" not in (ROOT / "rust" / "core" / "Cargo.toml").read_text()


def test_files_are_short():
    sources = [p for pattern in ("*.py", "*.rs") for folder in (PACKAGE, ROOT / "rust") for p in folder.rglob(pattern)]
    assert not [(str(p.relative_to(ROOT)), n) for p in sources if (n := len(p.read_text().splitlines())) > 400]
