"""Whether an assumed symmetry holds: orientations are those a search finds from the truth, which is not handed to the check."""

import numpy as np
import pytest
from nanospa.errors import ShapeError
from nanospa.reconstruct import prepare, symmetry_check
from nanospa.reconstruct.symmetry_check import alternatives, stretched

from .stacks import stack


def checked(shape, n=50, *, symmetry="O", snr=np.inf, seed=31, **of):
    images = stack(shape, n, box=32, snr=snr, seed=seed, **of)
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    return symmetry_check(prepared, images.rotations, images.shifts - prepared.shifts, symmetry)


@pytest.mark.parametrize(
    ("shape", "snr", "of"),
    [
        ("cube", np.inf, {}),
        ("star", 4.0, {"scales": 0.06, "parameter_spread": 0.05}),
        ("truncated_octahedron", 1.2, {}),
        ("octahedron", 1.2, {}),
    ],
)
def test_octahedral_shapes_hold(shape, snr, of):
    # The noise of a pixel at box 32 is half that at box 64: SNR 1.2 here is 0.3 there.
    found = checked(shape, snr=snr, **of)
    assert found.holds and found.preferred == "O"
    assert [each.symmetry for each in found.alternatives] == ["D4"]
    assert found.alternatives[0].gain.share < 0.003


@pytest.mark.parametrize(("aspect", "snr"), [(1.2, np.inf), (1.3, 1.2), (0.75, 4.0), (2.0, 1.2)])
def test_square_prism_is_no_octahedral_shape(aspect, snr):
    found = checked("prism", aspect=aspect, size_nm=6.5 if aspect > 1.5 else 8.0, snr=snr)
    assert not found.holds
    # The longer the prism, the less its projections tell of its azimuth.
    assert found.preferred in ("D4", "D2") or (aspect == 2 and found.preferred != "O")
    assert found.alternatives[0].gain.z > 5


def test_decahedron_is_no_octahedral_shape():
    found = checked("decahedron", snr=4.0)
    assert not found.holds
    assert found.preferred != "O"
    by_name = {each.symmetry: each.gain.share for each in found.alternatives}
    assert by_name["D5"] > by_name["D2"] - 0.004


def test_first_alternative_is_one_that_any_deviation_shows_in():
    assert alternatives("o")[0] == "D4"
    assert alternatives("D4")[0] == "D2"
    assert "D4" not in alternatives("D4")
    assert alternatives("C3") == ("C1",)
    assert alternatives("C1") == ()


def test_stretched_keeps_the_content():
    volume = np.zeros((24, 24, 24), np.float32)
    volume[8:17, 8:17, 8:17] = 1
    longer = stretched(volume, 1.5)
    assert longer.sum() == pytest.approx(volume.sum(), rel=0.02)
    extent = [np.sqrt((longer.sum(axis=tuple(a for a in range(3) if a != axis)) * (np.arange(24) - 12.0) ** 2).sum()) for axis in range(3)]
    assert extent[0] / extent[1] == pytest.approx(1.5, rel=0.05)
    assert extent[1] == pytest.approx(extent[2])


def test_poses_must_fit_the_images():
    images = stack("cube", 6, box=32)
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    with pytest.raises(ShapeError, match="one of each for 6 images"):
        symmetry_check(prepared, images.rotations[:5], images.shifts, "O")
