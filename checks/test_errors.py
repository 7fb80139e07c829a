"""Python and Rust name the same kinds of error; errors survive pickling."""

import pickle

import pytest
from nanospa import _core, errors

CLASSES = sorted(errors.BY_KIND.values(), key=lambda c: c.kind)


def test_every_rust_kind_has_a_class():
    assert set(_core.error_kinds()) <= set(errors.BY_KIND)


def test_kinds_are_unique():
    def tree(root):
        return [root, *(d for c in root.__subclasses__() for d in tree(c))]

    kinds = [c.kind for c in tree(errors.NanospaError)]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("error", CLASSES, ids=lambda c: c.kind)
def test_pickles(error):
    copy = pickle.loads(pickle.dumps(error("image: expected a, found b")))
    assert type(copy) is error and str(copy) == "image: expected a, found b"
    assert error is errors.NanospaError or issubclass(error, tuple(b for b in error.__bases__ if b is not errors.NanospaError))
