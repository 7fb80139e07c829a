import numpy as np
import pytest
from nanospa.errors import NonFiniteError, ShapeError
from nanospa.reconstruct import euler_angles, rotations_from_euler
from nanospa.simulate import random_rotation
from scipy.spatial.transform import Rotation


def test_there_and_back():
    rng = np.random.default_rng(0)
    rotations = np.stack([random_rotation(rng) for _ in range(300)])
    angles = euler_angles(rotations)
    np.testing.assert_allclose(rotations_from_euler(angles), rotations, atol=1e-12)
    assert angles[:, 1].min() >= 0
    assert angles[:, 1].max() <= 180
    np.testing.assert_allclose(euler_angles(rotations_from_euler(angles)), angles, atol=1e-9)


@pytest.mark.parametrize("tilt", [0.0, 180.0])
def test_at_the_poles(tilt):
    rotations = rotations_from_euler([[30.0, tilt, 50.0]])
    angles = euler_angles(rotations)
    assert angles[0, 0] == 0
    assert angles[0, 2] == pytest.approx(80.0 if tilt == 0 else 20.0)
    np.testing.assert_allclose(rotations_from_euler(angles), rotations, atol=1e-12)


def test_is_the_convention_of_the_field():
    # The 3DEM convention turns the axes, not the object: about z, the new y and the new z.
    angles = np.array([[20.0, 40.0, 70.0], [-110.0, 95.0, -10.0]])
    turned = Rotation.from_euler("ZYZ", angles, degrees=True).as_matrix().transpose(0, 2, 1)
    np.testing.assert_allclose(rotations_from_euler(angles), turned, atol=1e-12)


def test_wrong_input():
    with pytest.raises(ShapeError, match=r"angles_deg: expected shape \(n, 3\), found \(3,\)"):
        rotations_from_euler([1.0, 2, 3])
    with pytest.raises(NonFiniteError, match="angles_deg"):
        rotations_from_euler([[np.nan, 0, 0]])
