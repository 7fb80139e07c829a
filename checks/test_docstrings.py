"""Public docstrings: numpydoc sections, units of floats, shapes of arrays, examples that run."""

import doctest
import importlib
import inspect
import re

import nanospa as ns
import pytest
from numpydoc.docscrape import FunctionDoc

PACKAGES = ("acquire", "acquire.bluesky", "segment", "measure", "cluster", "reconstruct", "simulate", "io", "pipeline", "report", "testing")


def public():
    for package in PACKAGES:
        module = importlib.import_module(f"nanospa.{package}")
        for name in getattr(module, "__all__", []):
            item = getattr(module, name)
            if inspect.isfunction(item) or inspect.isclass(item):
                yield pytest.param(item, id=f"{package}.{name}")
                if inspect.isclass(item) and not issubclass(item, Exception):
                    for method_name, method in vars(item).items():
                        function = method.__func__ if isinstance(method, (classmethod, staticmethod)) else method
                        if not method_name.startswith("_") and inspect.isfunction(function) and function.__module__.startswith("nanospa"):
                            yield pytest.param(function, id=f"{package}.{name}.{method_name}")


@pytest.mark.parametrize("item", list(public()))
def test_documented(item):
    assert inspect.getdoc(item), "no docstring"
    if not inspect.isfunction(item):
        return
    doc = FunctionDoc(item)
    assert doc["Summary"], "no summary"
    documented = {name.strip().lstrip("*") for entry in doc["Parameters"] for name in entry.name.split(",")}
    arguments = {p.name for p in inspect.signature(item).parameters.values()} - {"self", "cls"}
    assert arguments <= documented, f"undocumented: {sorted(arguments - documented)}"
    assert documented <= arguments, f"no such argument: {sorted(documented - arguments)}"
    for entry in [*doc["Parameters"], *doc["Returns"], *doc["Yields"]]:
        text = " ".join(entry.desc)
        kind = entry.type or entry.name
        if re.match(r"\(?float", kind):
            assert re.search(r"\[[^\]]+\]", text), f"{entry.name}: a float states its unit in brackets, [-] for none"
        if re.search(r"\b(ndarray|array_like|DataArray)\b", kind):
            assert re.search(r"shape|rank|same shape", f"{kind} {text}"), f"{entry.name}: an array states its shape"


@pytest.mark.parametrize("item", [*public(), pytest.param(ns, id="nanospa"), pytest.param(ns.threads, id="threads")])
def test_examples_run(item):
    finder = doctest.DocTestFinder(recurse=False)
    for example in finder.find(item, globs={}):
        results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(example)
        assert results.failed == 0
