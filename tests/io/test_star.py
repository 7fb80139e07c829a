"""STAR files and RELION particles, read back by a reader that knows only the format, and put together by hand."""

import mrcfile
import nanospa as ns
import numpy as np
import pytest
from nanospa import errors, io
from numpy.testing import assert_allclose, assert_array_equal


def read_star(path):
    """Tables of a STAR file, by its grammar."""
    tables, labels, rows = {}, None, None
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split() if line.startswith(("_", "#")) else line.split()
        if not words:
            continue
        if words[0].startswith("data_"):
            labels, rows = [], []
            tables[words[0][5:]] = (labels, rows)
        elif words[0] == "loop_":
            continue
        elif words[0].startswith("_"):
            labels.append(words[0][1:])
        else:
            assert len(words) == len(labels)
            rows.append(words)
    return {name: {label: [row[i] for row in rows] for i, label in enumerate(labels)} for name, (labels, rows) in tables.items()}


def relion_matrix(rot, tilt, psi):
    """Rotation of RELION's Euler angles [deg]: about z, then the new y, then the new z, acting on coordinates."""

    def z(a):
        return np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])

    def y(a):
        return np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])

    rot, tilt, psi = np.radians([rot, tilt, psi])
    return z(psi) @ y(tilt) @ z(rot)


def noisy(n=5, box=16, seed=0):
    return np.random.default_rng(seed).normal(3, 2, (n, box, box)).astype(np.float32)


def test_star_round_trip(tmp_path):
    path = tmp_path / "a.star"
    io.write_star(
        path, {"optics": {"rlnOpticsGroup": [1]}, "particles": {"rlnImageName": ["000001@a.mrcs", "b"], "rlnAngleRot": [1.25, -170.0]}}
    )
    found = read_star(path)
    assert found["optics"] == {"rlnOpticsGroup": ["1"]}
    assert found["particles"]["rlnImageName"] == ["000001@a.mrcs", "b"]
    assert_allclose(np.array(found["particles"]["rlnAngleRot"], float), [1.25, -170.0])
    assert path.read_text().splitlines()[1] == "# version 30001"


def test_star_refuses(tmp_path):
    with pytest.raises(errors.InvalidValueError, match="white space"):
        io.write_star(tmp_path / "a.star", {"t": {"name": ["two words"]}})
    with pytest.raises(errors.InvalidValueError, match="finite"):
        io.write_star(tmp_path / "a.star", {"t": {"x": [np.nan]}})
    with pytest.raises(errors.ShapeError, match="one length"):
        io.write_star(tmp_path / "a.star", {"t": {"x": [1.0], "y": [1, 2]}})


def test_relion_files(tmp_path):
    images = noisy()
    star, stack = io.write_relion_particles(
        tmp_path / "cubes.star",
        images,
        pixel_size_nm=0.4,
        shifts_px=np.arange(10.0).reshape(5, 2),
        half_sets=[0, 1, 0, 1, 0],
        correlations=np.full(5, 0.9),
    )
    tables = read_star(star)
    optics, particles = tables["optics"], tables["particles"]
    assert {
        name: float(optics[name][0]) for name in ("rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality", "rlnAmplitudeContrast")
    } == {
        "rlnImagePixelSize": 4.0,
        "rlnImageSize": 16,
        "rlnImageDimensionality": 2,
        "rlnAmplitudeContrast": 1.0,
    }
    # Without these RELION 3.1 refuses the table.
    assert {"rlnVoltage", "rlnSphericalAberration", "rlnOpticsGroupName", "rlnOpticsGroup"} <= set(optics)
    assert particles["rlnImageName"][0] == "000001@cubes.mrcs" and particles["rlnImageName"][4] == "000005@cubes.mrcs"
    # RELION's origin is what moves the particle back to the centre, in Å.
    assert_allclose(np.array(particles["rlnOriginXAngst"], float), [0, -8, -16, -24, -32])
    assert_allclose(np.array(particles["rlnOriginYAngst"], float), [-4, -12, -20, -28, -36])
    assert particles["rlnRandomSubset"] == ["1", "2", "1", "2", "1"]
    with mrcfile.open(stack) as mrc:
        assert mrc.is_image_stack() and mrc.data.dtype == np.float32
        assert_allclose(float(mrc.voxel_size.x), 4.0, rtol=1e-6)
        made = mrc.data.copy()
    offset = np.arange(16) - 8
    outside = np.hypot(*np.meshgrid(offset, offset)) > 8
    assert_allclose(made[:, outside].mean(axis=1), 0, atol=1e-6)
    assert_allclose(made[:, outside].std(axis=1), 1, atol=1e-6)
    # A straight line of the image it was: contrast is not turned over.
    assert all(np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.999999 for a, b in zip(images, made, strict=True))


def test_masked_images_are_left_as_they_are(tmp_path):
    images = np.zeros((2, 16, 16), np.float32)
    images[:, 5:11, 5:11] = 7
    _, stack = io.write_relion_particles(tmp_path / "a.star", images, pixel_size_nm=0.4)
    with mrcfile.open(stack) as mrc:
        assert_array_equal(mrc.data, images)


def test_refuses(tmp_path):
    images = noisy()
    with pytest.raises(errors.UnknownFormatError, match=r"\.star"):
        io.write_relion_particles(tmp_path / "a.mrcs", images, pixel_size_nm=0.4)
    with pytest.raises(errors.ShapeError, match="square"):
        io.write_relion_particles(tmp_path / "a.star", images[:, :8], pixel_size_nm=0.4)
    with pytest.raises(errors.ShapeError, match=r"shifts_px: expected shape \(5, 2\)"):
        io.write_relion_particles(tmp_path / "a.star", images, pixel_size_nm=0.4, shifts_px=np.zeros((4, 2)))
    with pytest.raises(errors.PixelSizeError):
        io.write_relion_particles(tmp_path / "a.star", images, pixel_size_nm=0.0)
    images[0, 0, 0] = np.nan
    with pytest.raises(errors.InvalidValueError, match="finite"):
        io.write_relion_particles(tmp_path / "a.star", images, pixel_size_nm=0.4)


def test_a_volume_from_the_files_alone(tmp_path):
    """Back-project what a reader finds, by RELION's conventions: it is the particle again."""
    from tests.reconstruct.stacks import stack

    box = 32
    truth = stack("cube", 60, box=box, shift_px=6.0, seed=4)
    angles = ns.reconstruct.euler_angles(truth.rotations)
    star, stack_path = io.write_relion_particles(
        tmp_path / "p.star", truth.images, pixel_size_nm=truth.pixel_size_nm, euler_angles_deg=angles, shifts_px=truth.shifts
    )
    tables = read_star(star)
    rows = tables["particles"]
    size = float(tables["optics"]["rlnImagePixelSize"][0])
    with mrcfile.open(stack_path) as mrc:
        images = mrc.data.copy()
    centre = box // 2
    z, y, x = (axis - centre for axis in np.mgrid[:box, :box, :box].astype(float))
    made = np.zeros((box,) * 3)
    for i, image in enumerate(images):
        assert rows["rlnImageName"][i] == f"{i + 1:06d}@{stack_path.name}"
        matrix = relion_matrix(*(float(rows[f"rlnAngle{name}"][i]) for name in ("Rot", "Tilt", "Psi")))
        moved = [float(rows[f"rlnOrigin{axis}Angst"][i]) / size for axis in "YX"]
        # RELION moves the image by its origin, then smears it along the beam.
        frequency = np.fft.fftfreq(box)
        phase = np.exp(-2j * np.pi * (frequency[:, None] * moved[0] + frequency[None] * moved[1]))
        image = np.fft.ifft2(np.fft.fft2(image) * phase).real
        ramp = np.hypot(*np.meshgrid(frequency, frequency))
        image = np.fft.ifft2(np.fft.fft2(image) * ramp).real
        u = np.rint(matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z).astype(int) + centre
        v = np.rint(matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z).astype(int) + centre
        inside = (u >= 0) & (u < box) & (v >= 0) & (v < box)
        made[inside] += image[v[inside], u[inside]]
    ball = np.sqrt(x**2 + y**2 + z**2) < centre
    assert np.corrcoef(made[ball], truth.volume[ball])[0, 1] > 0.9


@pytest.mark.extras
def test_starfile_reads_it(tmp_path):
    starfile = pytest.importorskip("starfile")
    path, _ = io.write_relion_particles(
        tmp_path / "p.star", noisy(), pixel_size_nm=0.4, euler_angles_deg=np.ones((5, 3)), shifts_px=np.ones((5, 2))
    )
    found = starfile.read(path)
    assert (
        float(
            found["optics"]["rlnImagePixelSize"].iloc[0]
            if hasattr(found["optics"]["rlnImagePixelSize"], "iloc")
            else found["optics"]["rlnImagePixelSize"]
        )
        == 4.0
    )
    assert list(found["particles"]["rlnImageName"]) == [f"{i:06d}@p.mrcs" for i in range(1, 6)]
    assert_allclose(found["particles"]["rlnOriginXAngst"], -4.0)
