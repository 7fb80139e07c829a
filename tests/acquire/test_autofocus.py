"""Coarse and fine autofocus: small series made here, and fields of the simulated microscope."""

import json

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanospa import _core
from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError
from scipy.special import j1

from tests.acquire.test_sharpness import blobs, lattice

PIXEL_NM = 0.2


def series(focus_nm, *, seed=0, electrons=1.0, gain=1.0, offset=0.0, scene=None, taken=None):
    """image_at of a scene that is in focus at `focus_nm`: Gaussian probe of 23 mrad, shot noise keyed by the defocus."""
    scene = blobs(seed=seed) if scene is None else scene

    def image_at(defocus_nm):
        if taken is not None:
            taken.append(defocus_nm)
        sigma_px = np.hypot(0.05, 0.0115 * (defocus_nm - focus_nm)) / PIXEL_NM
        blurred = _core.gaussian(scene, sigma_px, 1) * electrons
        rng = np.random.default_rng((seed, int(1000 * defocus_nm) + 10**7))
        return gain * rng.poisson(blurred) + offset

    return image_at


@given(st.floats(-80, 80), st.floats(-200, 200), st.integers(0, 20))
@settings(max_examples=25)
def test_finds_the_focus(away, focus_nm, seed):
    start = focus_nm + away
    found = ns.acquire.autofocus(series(focus_nm, seed=seed), start_nm=start, pixel_size_nm=PIXEL_NM)
    assert abs(found.defocus_nm - focus_nm) <= 10
    assert found.verdict in ("fitted", "rolled_back")
    # Inside the range, or where it was.
    assert found.defocus_nm == start or abs(found.defocus_nm - start) <= 100
    assert ns.acquire.FocusResult.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def other_probe(kind, focus_nm, seed):
    """image_at with probes the fit does not assume: the cone's own disc, or one stretched and narrow in two directions by astigmatism."""
    scene = np.fft.rfft2(blobs(seed=seed))
    height, width = blobs(seed=seed).shape
    qy, qx = 2 * np.pi * np.fft.fftfreq(height)[:, None], 2 * np.pi * np.fft.rfftfreq(width)[None, :]

    def image_at(defocus_nm):
        away = defocus_nm - focus_nm
        if kind == "disc":
            radius_q = 0.023 * abs(away) / PIXEL_NM * np.hypot(qy, qx)
            transfer = np.where(radius_q < 1e-6, 1.0, 2 * j1(radius_q) / np.maximum(radius_q, 1e-6))
        else:
            # Line foci 15 nm before and behind the middle.
            sigma = [0.0115 * (away + side) / PIXEL_NM for side in (-15, 15)]
            transfer = np.exp(-((qy * sigma[0]) ** 2 + (qx * sigma[1]) ** 2) / 2)
        blurred = np.fft.irfft2(scene * transfer * np.exp(-((0.25**2) * (qy**2 + qx**2)) / 2), (height, width))
        return np.random.default_rng((seed, int(1000 * defocus_nm) + 10**7)).poisson(np.maximum(blurred, 0))

    return image_at


@pytest.mark.parametrize("kind", ["disc", "astigmatic"])
@pytest.mark.parametrize("seed", range(4))
def test_probes_that_are_no_gaussians(kind, seed):
    focus_nm = 40.0 - 25.0 * seed
    found = ns.acquire.autofocus(other_probe(kind, focus_nm, seed), start_nm=0.0, pixel_size_nm=PIXEL_NM)
    assert abs(found.defocus_nm - focus_nm) <= 10, found.message


@given(st.floats(0.05, 50), st.floats(-500, 500))
@settings(max_examples=10)
def test_gain_and_offset_do_not_matter(gain, offset):
    plain = ns.acquire.autofocus(series(20.0, seed=3), start_nm=-25.0)
    other = ns.acquire.autofocus(series(20.0, seed=3, gain=gain, offset=offset), start_nm=-25.0)
    assert other.verdict == plain.verdict
    assert other.defocus_nm == pytest.approx(plain.defocus_nm, abs=0.05)


def test_takes_the_series_the_start_and_the_centre():
    taken = []
    found = ns.acquire.autofocus(series(30.0, taken=taken), start_nm=0.0)
    assert taken == list(found.samples_nm)
    assert taken[:11] == sorted([*np.linspace(-100, 100, 10), 0.0])
    assert taken[-1] == found.defocus_nm
    assert len(found.sharpness) == len(taken) <= 13
    assert found.sharpness[-1] > 1.01 * found.sharpness[taken.index(0.0)]
    assert found.fit is not None
    assert found.fit.centre_nm == found.defocus_nm
    assert 10 < found.fit.width_nm < 80


def test_in_focus_stays():
    found = ns.acquire.autofocus(series(5.0), start_nm=5.0)
    assert (found.verdict, found.defocus_nm) == ("rolled_back", 5.0)


def test_beyond_the_range_the_best_image_wins():
    found = ns.acquire.autofocus(series(170.0), start_nm=0.0)
    assert (found.verdict, found.defocus_nm) == ("best_sample", 100.0)
    assert found.fit is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("electrons", [0.0, 1.0, 100.0])
def test_noise_alone_is_no_signal(seed, electrons):
    scene = np.full((192, 192), 1.0, np.float32)
    found = ns.acquire.autofocus(series(0.0, seed=seed, electrons=electrons, scene=scene), start_nm=33.0)
    assert (found.verdict, found.defocus_nm) == ("no_signal", 33.0)
    assert len(found.samples_nm) == 11


def test_what_no_defocus_changes_is_no_signal():
    """A pattern of the scan, the same in every image."""
    pattern = 1000 + 20 * blobs(seed=5)
    rng = np.random.default_rng(0)
    found = ns.acquire.autofocus(lambda defocus_nm: rng.poisson(pattern), start_nm=-12.0)
    assert (found.verdict, found.defocus_nm) == ("no_signal", -12.0)


def test_a_particle_that_drifts_in_does_not_shift_the_focus():
    """Content that grows from image to image by 7 %."""
    scenes = [blobs(seed=7) * np.float32(1.035**k) for k in range(14)]
    at = iter(scenes)
    found = ns.acquire.autofocus(lambda d: series(10.0, seed=7, electrons=5, scene=next(at))(d), start_nm=-20.0, pixel_size_nm=PIXEL_NM)
    assert abs(found.defocus_nm - 10) < 4


def test_second_series_only_where_asked():
    # Grain that single images hardly show.
    rng = np.random.default_rng(1)
    scene = 3 + 0.8 * _core.gaussian(rng.normal(size=(256, 256)).astype(np.float32), 2.0, 1)
    first = ns.acquire.autofocus(series(0.0, scene=scene), start_nm=40.0, second_series=False, pixel_size_nm=PIXEL_NM)
    both = ns.acquire.autofocus(series(0.0, scene=scene), start_nm=40.0, pixel_size_nm=PIXEL_NM)
    assert len(first.samples_nm) <= 13
    assert 13 < len(both.samples_nm) <= 23
    assert abs(both.defocus_nm) <= 10


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"start_nm": float("nan")}, "start_nm"),
        ({"start_nm": 0.0, "range_nm": 0.0}, "range_nm"),
        ({"start_nm": 0.0, "samples": 4}, "samples"),
        ({"start_nm": 0.0, "pixel_size_nm": -1.0}, "pixel_size_nm"),
    ],
)
def test_arguments_are_checked(arguments, name):
    with pytest.raises(InvalidValueError, match=name):
        ns.acquire.autofocus(series(0.0), **arguments)


def test_images_are_checked():
    with pytest.raises(ShapeError, match="image at -100 nm"):
        ns.acquire.autofocus(lambda d: np.zeros((4, 64, 64)), start_nm=0)
    with pytest.raises(ShapeError, match="as before"):
        ns.acquire.autofocus(lambda d: np.zeros((64, 64 if d < 0 else 80)), start_nm=0)
    with pytest.raises(NonFiniteError):
        ns.acquire.autofocus(lambda d: np.full((64, 64), np.inf), start_nm=0)


def focus_field(seed, preset="slater2020", **changes):
    """Autofocus somewhere on the simulated microscope: result and the true focus."""
    rng = np.random.default_rng((seed, 77))
    specimen = ns.simulate.VirtualSpecimen(preset, seed=seed, **changes)
    microscope = ns.acquire.connect("simulated", specimen=specimen, seed=seed)
    y, x = rng.uniform(-10e-6, 10e-6, 2)
    microscope.set_stage_position(x=float(x), y=float(y))
    microscope.set_field_of_view(100e-9)
    frames = []

    def image_at(defocus_nm):
        microscope.set_defocus(defocus_nm * 1e-9)
        frames.append(microscope.acquire("HAADF", shape=(512, 512), dwell_time=5e-6)["HAADF"])
        return frames[-1].data

    start = float(specimen.height_nm(y * 1e9, x * 1e9)) + float(rng.uniform(-80, 80))
    found = ns.acquire.autofocus(image_at, start_nm=start, pixel_size_nm=100 / 512)
    centre = [1e9 * c for c in microscope.true_centre(frames[-1])]
    return found, float(specimen.height_nm(*centre))


# Fields with particles, one with bare film (21): the target is 95 % of 200 fields, measured by benches/bench_autofocus.py.
@pytest.mark.parametrize("seed", [0, 1, 2, 4, 5, 6, 7, 12, 21, 24, 31])
def test_random_fields(seed):
    found, focus_nm = focus_field(seed)
    assert abs(found.defocus_nm - focus_nm) <= 10


@pytest.mark.parametrize("seed", [3, 13])
def test_a_hole_is_no_signal(seed):
    found, _ = focus_field(seed)
    assert (found.verdict, found.defocus_nm) == ("no_signal", found.start_nm)


def test_film_without_texture_is_no_signal():
    found, _ = focus_field(0, "empty", grain=0.0)
    assert (found.verdict, found.defocus_nm) == ("no_signal", found.start_nm)


def test_fine_focus_takes_the_clearest_lattice():
    taken = []

    def image_at(defocus_nm):
        taken.append(defocus_nm)
        return lattice(0.5 * np.exp(-((defocus_nm - 104) ** 2) / 20), seed=int(defocus_nm))

    found = ns.acquire.fine_autofocus(image_at, start_nm=100.0)
    assert (found.verdict, found.defocus_nm) == ("best_sample", 104.0)
    assert taken == list(found.samples_nm) == list(np.arange(90.0, 111.0, 2.0))
    assert ns.acquire.FocusResult.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_fine_focus_in_focus_stays():
    found = ns.acquire.fine_autofocus(lambda d: lattice(0.5 * np.exp(-(d**2) / 20)), start_nm=0.0)
    assert (found.verdict, found.defocus_nm) == ("rolled_back", 0.0)


def test_fine_focus_without_spots_is_restored():
    found = ns.acquire.fine_autofocus(lambda d: np.random.default_rng(int(d)).poisson(5, (128, 128)), start_nm=50.0)
    assert (found.verdict, found.defocus_nm) == ("no_signal", 50.0)


@pytest.mark.parametrize("seed", [4, 10])
def test_fine_focus_on_atoms(seed):
    specimen = ns.simulate.VirtualSpecimen("atomic", seed=seed, on_zone=1.0)
    particle = specimen.particles(0, 0, 120, 120).iloc[0]

    def image_at(defocus_nm):
        fraction = specimen.image(centre_nm=(particle.y_nm, particle.x_nm), pixel_size_nm=25 / 512, shape=(512, 512), defocus_nm=defocus_nm)
        return ns.simulate.detect(fraction, electrons_per_pixel=1600, seed_key=(seed, round(1000 * defocus_nm)))

    found = ns.acquire.fine_autofocus(image_at, start_nm=particle.height_nm + 5.0, pixel_size_nm=25 / 512)
    assert found.verdict == "best_sample"
    assert abs(found.defocus_nm - particle.height_nm) <= 3


@pytest.mark.parametrize("arguments", [{"range_nm": -1.0}, {"step_nm": 0.0}, {"step_nm": 30.0}, {"start_nm": float("inf")}])
def test_fine_focus_checks_its_arguments(arguments):
    with pytest.raises(InvalidValueError):
        ns.acquire.fine_autofocus(lambda d: lattice(0.1, n=64), **{"start_nm": 0.0, **arguments})
