import numpy as np
import pytest
from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError, UnknownNameError
from nanospa.reconstruct import Symmetry, symmetry_rotations
from nanospa.reconstruct.symmetry import as_rotations

ORDERS = {"C1": 1, "C2": 2, "C3": 3, "C7": 7, "D2": 4, "D3": 6, "D4": 8, "D5": 10, "D6": 12, "D12": 24, "T": 12, "O": 24, "I": 60}
NORMALISER = {"D2": 6, "D3": 2, "D5": 2, "D6": 2, "T": 2, "O": 1, "I": 1, "C1": 1, "C4": 2}


def is_same_set(a, b):
    distances = np.abs(a[:, None] - b[None]).max(axis=(2, 3))
    return len(a) == len(b) and (distances.min(axis=0) < 1e-9).all() and (distances.min(axis=1) < 1e-9).all()


@pytest.mark.parametrize("name", ORDERS)
def test_group_axioms(name):
    g = symmetry_rotations(name)
    assert g.shape == (ORDERS[name], 3, 3)
    np.testing.assert_allclose(g[0], np.eye(3), atol=0)
    np.testing.assert_allclose(g @ g.transpose(0, 2, 1), np.broadcast_to(np.eye(3), g.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(g), 1.0)
    assert is_same_set(g.transpose(0, 2, 1), g)
    for element in g:
        assert is_same_set(g @ element, g)
    separate = np.abs(g[:, None] - g[None]).max(axis=(2, 3)) + np.eye(len(g))
    assert separate.min() > 1e-2


@pytest.mark.parametrize("name", ["D2", "D4", "C2", "C4", "T", "O"])
def test_signed_permutations_are_exact(name):
    g = symmetry_rotations(name)
    assert set(np.unique(g)) <= {-1.0, 0.0, 1.0}


def test_icosahedral_contains_tetrahedral():
    i, t = symmetry_rotations("I"), symmetry_rotations("T")
    assert (np.abs(i[:, None] - t[None]).max(axis=(2, 3)).min(axis=0) < 1e-9).all()
    # Axes of five-fold rotations: those whose trace is 2 cos 72° + 1.
    five = i[np.isclose(np.trace(i, axis1=1, axis2=2), 1 + 2 * np.cos(np.radians(72)))]
    axes = np.abs(np.stack([five[:, 2, 1] - five[:, 1, 2], five[:, 0, 2] - five[:, 2, 0], five[:, 1, 0] - five[:, 0, 1]], axis=1))
    golden = (1 + 5**0.5) / 2
    expected = np.array([[0, 1, golden], [golden, 0, 1], [1, golden, 0]]) / np.hypot(1, golden)
    found = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    assert (np.abs(found[:, None] - expected).max(axis=2).min(axis=1) < 1e-9).all()


@pytest.mark.parametrize("name", ["D2", "D3", "D4", "D5", "D6", "T", "O", "I"])
def test_mirror_planes(name):
    s = Symmetry.of(name)
    full = s.reflections
    assert len(full) == 2 * s.order
    np.testing.assert_allclose(np.linalg.det(full[s.order :]), -1.0)
    for element in full[:: max(1, len(full) // 12)]:
        assert is_same_set(full @ element, full)
    # Angles of the triangle are 180° over the orders of its corners.
    for corner, fold in enumerate(s.folds):
        a, b, c = np.roll(s.corners, -corner, axis=0)
        p, q = np.cross(a, b), np.cross(a, c)
        angle = np.degrees(np.arccos(p @ q / np.linalg.norm(p) / np.linalg.norm(q)))
        assert angle == pytest.approx(180 / fold)
        axis = s.corners[corner]
        assert (np.abs(s.rotations @ axis - axis).max(axis=1) < 1e-9).sum() == fold


@pytest.mark.parametrize("name", NORMALISER)
def test_normaliser(name):
    s = Symmetry.of(name)
    assert len(s.normaliser) == NORMALISER[name]
    assert s.axial_free == name.startswith("C")
    for n in s.normaliser:
        assert is_same_set(n.T @ s.rotations @ n, s.rotations)
    for i, n in enumerate(s.normaliser):
        for other in s.normaliser[:i]:
            assert np.abs(n.T @ other - s.rotations).max(axis=(1, 2)).min() > 1e-2


def test_names():
    assert Symmetry.of(" d5 ") is Symmetry.of("D5")
    assert Symmetry.of(Symmetry.of("T")).name == "T"
    for wrong in ("", "C0", "D1", "D0", "K", "C100", "O2", 4, None, "octahedral"):
        with pytest.raises(UnknownNameError, match="symmetry: expected"):
            symmetry_rotations(wrong)
    for mirrored, rotations in {"Oh": "O", "Ih": "I", "Td": "T", "Th": "T", "D5h": "D5", "C4v": "C4"}.items():
        with pytest.raises(UnknownNameError, match=rf"rotations alone \({rotations}\)"):
            Symmetry.of(mirrored)


def test_elements_are_shared_and_kept():
    with pytest.raises(ValueError, match="read-only"):
        Symmetry.of("O").rotations[0, 0, 0] = 2
    own = symmetry_rotations("O")
    own[:] = 0
    assert symmetry_rotations("O").any()


def test_what_is_no_rotation_is_refused():
    with pytest.raises(ShapeError, match=r"rotations: expected shape \(n, 3, 3\)"):
        as_rotations(np.eye(4))
    with pytest.raises(InvalidValueError, match="number 1 is not"):
        as_rotations([np.eye(3), np.diag([1, 1, -1])])
    with pytest.raises(NonFiniteError):
        as_rotations(np.full((1, 3, 3), np.nan))
