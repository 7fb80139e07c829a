"""The same store whatever the scheduler; workers that die cost their item only."""

import functools
import os
import sys

import dask
import nanospa as ns
import numpy as np
import pytest
from nanospa import errors
from nanospa.pipeline.distribute import WINDOW, Workers, workers

from tests.pipeline.conftest import snapshot


def double(number):
    return {"value": 2 * number}


def poison(number):
    if number == 3:
        os._exit(1)
    if number == 5:
        raise ValueError("five")
    return {"value": number}


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client


def scaled(values, number):
    if number == 4:
        raise ValueError("four")
    return values[number % 2] * number


def test_map_keeps_the_order_and_raises(client):
    values = np.arange(2.0)
    # Larger than what distributed likes to see in a task.
    large = np.concatenate([values, np.zeros(2_000_000)])
    for pool, given in ((Workers("sync"), values), (Workers(client), values), (Workers(client), large)):
        function = functools.partial(scaled, given)
        assert list(pool.map(function, [3, 1, 0, 5, 7, 9])) == [3, 1, 0, 5, 7, 9]
        assert list(pool.map(function, [])) == []
        with pytest.raises(ValueError, match="four"):
            list(pool.map(function, range(6)))


def test_sync_needs_no_dask():
    with workers("sync") as pool:
        assert sorted(pool.run(double, [(i,) for i in range(5)])) == [(i, {"value": 2 * i}) for i in range(5)]
        outcome = dict(pool.run(poison, [(5,), (1,)]))
    assert isinstance(outcome[0], ValueError) and outcome[1] == {"value": 1}


def test_the_window_slides(client):
    ahead = []

    def items():
        for i in range(60):
            ahead.append(i)
            yield (i,)

    pool = Workers(client)
    seen = {}
    for number, outcome in pool.run(double, items()):
        seen[number] = outcome
        assert len(ahead) - len(seen) <= 2 * WINDOW + 1
    assert seen == {i: {"value": 2 * i} for i in range(60)}
    pool.close()
    assert client.status == "running", "a user's client stays open"


def test_nothing_to_do_starts_nothing():
    pool = Workers("local:2")
    assert list(pool.run(double, [])) == [] and pool._client is None
    pool.close()


def test_same_store_whatever_the_scheduler(settings, tmp_path, client):
    ns.pipeline.run(settings, tmp_path / "sync.zarr", scheduler="sync")
    summary = ns.pipeline.run(settings, tmp_path / "dask.zarr", scheduler=client)
    assert summary.exit_code == 0
    assert snapshot(tmp_path / "dask.zarr") == snapshot(tmp_path / "sync.zarr")
    with pytest.raises(ValueError, match="No clients found"):
        sys.modules["distributed"].default_client()


def test_local_processes_scheduler_file_and_address(settings, tmp_path, client):
    file = tmp_path / "scheduler.json"
    file.write_text(f'{{"address": "{client.scheduler.address}"}}')
    schedulers = {"local:2": "local:2", "address": client.scheduler.address, "file": str(file)}
    stores = {}
    for name, scheduler in schedulers.items():
        summary = ns.pipeline.run(settings, tmp_path / f"{name[:5]}.zarr", scheduler=scheduler, stages=["input", "segment"])
        assert summary.exit_code == 0 and summary.n_done["segment"] == 4
        stores[name] = snapshot(tmp_path / f"{name[:5]}.zarr")
    assert stores["local:2"] == stores["address"] == stores["file"]


def test_the_environment_names_the_scheduler(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://10.0.0.1:8786")
    assert Workers(None).scheduler == "tcp://10.0.0.1:8786"
    assert Workers("sync").scheduler == "sync"
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS")
    assert Workers(None).scheduler == "local"


def test_no_scheduler_there(monkeypatch):
    monkeypatch.setattr("nanospa.pipeline.distribute.CONNECT_S", 1)
    with workers("tcp://127.0.0.1:9") as pool, pytest.raises(errors.SchedulerError, match=r"no answer from 'tcp://127\.0\.0\.1:9'"):
        list(pool.run(double, [(1,)]))


def test_a_killed_worker_costs_its_item_only(client):
    outcome = dict(Workers(client).run(poison, [(i,) for i in range(8)]))
    assert type(outcome[3]).__name__ == "KilledWorker"
    assert isinstance(outcome[5], ValueError)
    assert all(outcome[i] == {"value": i} for i in (0, 1, 2, 4, 6, 7)), "what shared the worker is run again"
