"""From simulated frames to a volume, nothing stood in: the right shape and the right size."""

import numpy as np
import pytest
from nanospa import pipeline, simulate
from nanospa.io.store import Store

from tests.pipeline.conftest import SEGMENT

CUBES = {"name": "Pd", "shape": "cube", "material": "Pd", "size_nm": 10.0, "size_std_nm": 0.6}
SETTINGS = {
    "simulate": {"n_frames": 5, "shape": (256, 256), "n_particles": 8, "pixel_size_nm": 0.4, "touching": 0.0, "populations": (CUBES,)},
    "segment": SEGMENT,
    "cluster": {"method": "kmeans", "options": {"n_clusters": 1}},
    "reconstruct": {"n_starts": 6, "box_px": 32},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("cubes") / "run.zarr"
    return path, pipeline.run(SETTINGS, path, scheduler="sync")


def test_cubes_come_out_as_cubes(done):
    path, summary = done
    (row,) = summary.reconstructions
    assert summary.exit_code == 0, summary.failed
    assert row["n_images"] >= 20 and row["truth_shape"] == "cube" and row["verdict"] in ("confident", "doubtful")
    found = pipeline.read_reconstruction(path, 0)
    box, pixel = found.sizes["x"], found.attrs["pixel_size_nm"]
    true = simulate.volume("cube", size_nm=10.0, box_px=box, voxel_size_nm=pixel)
    assert np.corrcoef(found["volume"].values.ravel(), true.ravel())[0, 1] > 0.93
    assert row["mean_volume_nm3"] == pytest.approx(row["truth_volume_nm3"], rel=0.1)


def test_sizes_of_the_particles_follow_the_truth(done):
    from scipy.stats import spearmanr

    path, _ = done
    store = Store.open(path)
    truth, table = store.read_table("truth"), store.read_table("particles", ("frame", "label", "volume_nm3"))
    size = {(f, n): s for f, n, s in zip(*(truth[c].values.tolist() for c in ("frame", "found_label", "size_nm")), strict=True) if n > 0}
    pairs = [
        (size[key], volume)
        for *key_, volume in zip(*(table[c].values.tolist() for c in ("frame", "label", "volume_nm3")), strict=True)
        if (key := tuple(key_)) in size and np.isfinite(volume)
    ]
    assert len(pairs) >= 20 and spearmanr(*zip(*pairs, strict=True)).statistic > 0.95
