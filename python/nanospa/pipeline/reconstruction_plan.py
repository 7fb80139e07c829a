"""Which particles of each cluster are reconstructed, and what their volume depends on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanospa.errors import InvalidValueError
from nanospa.io.store import Store
from nanospa.pipeline.fingerprint import entry
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.reconstruction_images import Member, without_aggregates
from nanospa.pipeline.reconstruction_settings import ReconstructSection
from nanospa.reconstruct.settings import ReconstructSettings
from nanospa.schema.store import FRAME_TABLE, PARTICLES

#: Columns of the particle table that are needed, beside the outline's size in pixels.
_COLUMNS = ("frame", "label", "cluster", "centroid_y_px", "centroid_x_px", "touches_border", "duplicate")
_SIZES = ("equivalent_diameter_px", "feret_max_px")


@dataclass(frozen=True)
class Group:
    """A cluster: the particles that go into its volume, and what that depends on.

    Attributes
    ----------
    cluster : int
        Number of the cluster.
    members : list of Member
        Its particles that are whole, counted once, and no aggregates; in the order of the particle table.
    n_left_out : int
        Its other particles.
    settings : ReconstructSettings
        Its settings.
    particles : int
        Hash of the members.
    entry : int
        Journal entry of the volume: hash of members and settings.
    """

    cluster: int
    members: list[Member]
    n_left_out: int
    settings: ReconstructSettings
    particles: int
    entry: int

    @property
    def name(self) -> str:
        """Name of its volume."""
        return volume_name(self.cluster)


def volume_name(cluster: int) -> str:
    """Name of a cluster's volume."""
    return f"cluster_{cluster:03d}"


def groups(store: Store, frames: Sequence[Frame], settings: ReconstructSection) -> list[Group]:
    """Every cluster of the particle table, in order."""
    table = store.read_table(PARTICLES, (*_COLUMNS, *_SIZES))
    clusters = table["cluster"].to_numpy()
    # What a frame's particles are depends on its pixels, its labels and its pixel size: all are in its entry.
    measured = store.journal.entries("measure")
    dark = _dark_frames(store, len(frames))
    columns = {str(name): table[name].to_numpy() for name in table}
    made = []
    for cluster in range(int(clusters.max(initial=-1)) + 1):
        rows = np.flatnonzero(clusters == cluster)
        whole = rows[~(columns["touches_border"][rows].astype(bool) | columns["duplicate"][rows].astype(bool))]
        members = [_member(int(row), columns, frames, dark) for row in whole]
        if members and all(member.frame.pixel_size_nm is not None for member in members):
            members = without_aggregates(members)
        chosen = settings.of(cluster)
        particles = entry("members", [(int(measured[m.frame.row]), m.label) for m in members])
        made.append(
            Group(
                cluster,
                members,
                rows.size - len(members),
                chosen,
                particles,
                entry("reconstruct", chosen.model_dump(mode="json"), settings.box_px, particles),
            )
        )
    return made


def wanted(found: Sequence[Group], settings: ReconstructSection, only: Collection[int] | None) -> list[Group]:
    """Those that are to be reconstructed: of `only` where it is given, else as the settings say."""
    asked = settings.clusters if only is None else tuple(only)
    if asked == "all":
        return list(found)
    if asked == "none":
        return []
    if only is not None and (unknown := set(only) - {group.cluster for group in found}):
        there = f"0 … {len(found) - 1}" if found else "none"
        raise InvalidValueError(f"clusters: expected clusters of the store ({there}), found {', '.join(map(str, sorted(unknown)))}")
    return [group for group in found if group.cluster in asked]


def _member(row: int, columns: dict[str, Any], frames: Sequence[Frame], dark: Collection[int]) -> Member:
    frame = int(columns["frame"][row])
    return Member(
        row=row,
        frame=frames[frame],
        label=int(columns["label"][row]),
        centre=(float(columns["centroid_y_px"][row]), float(columns["centroid_x_px"][row])),
        radius_px=float(columns["equivalent_diameter_px"][row]) / 2,
        extent_px=float(columns["feret_max_px"][row]),
        dark=frame in dark,
    )


def _dark_frames(store: Store, n: int) -> set[int]:
    """Frames whose particles are darker than their background."""
    table = store.read_table(FRAME_TABLE, ("polarity",))
    return {row for row, polarity in enumerate(table["polarity"].to_numpy()[:n]) if polarity == "dark"} if "polarity" in table else set()
