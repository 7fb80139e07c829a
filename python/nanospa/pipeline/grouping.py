"""The cluster stage: on the client, over the whole table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from nanospa.io.records import encode_record
from nanospa.io.store import Store
from nanospa.pipeline.settings import Settings
from nanospa.pipeline.truth import populations
from nanospa.schema import particles as particle_schema
from nanospa.schema.store import CLUSTER_QUALITY, CLUSTER_SCAN, PARTICLES, TRUTH


def group_particles(store: Store, settings: Settings, entry: int) -> None:
    """Cluster the particle table; writes the column ``cluster``, the scans and the quality figures, and the journal entry last."""
    from nanospa import cluster
    from nanospa.errors import EmptyInputError

    table = store.read_table(PARTICLES)
    store.journal.clear("cluster", 0)
    truth = populations(store.read_table(TRUTH), table) if store.has(TRUTH) else None
    values: dict[str, Any] = {"warnings": []}
    labels = np.full(table.sizes.get("particle", 0), -1, np.int32)
    try:
        if labels.size == 0:
            raise EmptyInputError("no particle was found")
        found = cluster.cluster_with_report(table, settings=settings.cluster, truth=truth)
    except EmptyInputError as error:
        values["warnings"].append(f"no clusters: {error}")
    else:
        labels = found.labels
        values |= {"method": found.method, "parameters": _plain(found.parameters)}
        for method, scan in found.scans.items():
            name = CLUSTER_SCAN if method == found.method else f"{CLUSTER_SCAN}_{method}"
            store.write_table(name, _named(scan.drop_vars("cluster", errors="ignore")), **{**_plain(scan.attrs), "method": method})
        store.write_table(CLUSTER_QUALITY, _named(found.quality), **_plain(found.quality.attrs))
    column = particle_schema.column("cluster")
    assert column is not None
    store.write_column(PARTICLES, "cluster", labels, units=column.unit, long_name=column.description)
    store.journal.mark("cluster", 0, entry, encode_record(values))


def _named(dataset: Any) -> Any:
    """Without attributes, which go to the table, and with dimensions that are no variables of another rank."""
    return dataset.drop_attrs(deep=False)


def _plain(values: Any) -> Any:
    """The same as JSON has it; what JSON cannot hold becomes text."""
    return json.loads(
        json.dumps(values, default=lambda value: value.tolist() if hasattr(value, "tolist") else str(value)).replace("NaN", "null")
    )
