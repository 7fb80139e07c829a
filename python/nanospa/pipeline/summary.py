"""What a run gives back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

#: Exit codes of a run: all done, all failed, nothing could start, some items failed.
DONE, FAILED, NOT_STARTED, PARTIAL = 0, 1, 2, 3


@dataclass(frozen=True)
class Failure:
    """An item that failed: its stage, its row of the frame table or its cluster (−1 without one), source, and why."""

    stage: str
    item: int
    source: str
    kind: str
    message: str


@dataclass(frozen=True)
class Summary:
    """Result of a run in numbers.

    Attributes
    ----------
    store : str
        The store.
    n_frames, n_particles, n_clusters, n_in_clusters : int
        What is in the store now.
    n_counted : int
        Particles that neither touch the border nor were seen in another frame before.
    n_done, n_skipped : dict of str to int
        Items of each stage that were computed, and that were done before.
    failed : tuple of Failure
        Items that failed.
    seconds : dict of str to float
        Time of each stage [s].
    warnings : tuple of str
        What a user should know.
    truth : dict of str to float
        Simulated input only: n_true, found_fraction at IoU 0.5, mean_iou, n_false (counted particles that match no true one), purity [-],
        for which those are impurities of their cluster. Of a simulated microscope also of single particles, however often they were
        seen: n_distinct, imaged_fraction of those in the surveys, counted_once_fraction of those found whole [-].
    acquisition : dict
        Acquired frames only: state ("ended", "paused", …) and reason, n_images, n_surveys, n_positions, n_faults, n_skipped, instrument_s,
        seconds_an_image [s].
    sizes : tuple of dict
        Simulated microscope only, of each population: n_true and n_found, single particles that lie whole in an image and those of them
        found at least once; found_nm and true_nm, means of the equivalent diameter [nm], the former of the counted ones.
    reconstructions : tuple of dict
        One of each cluster that was reconstructed or tried: the columns of `nanospa.schema.reconstructions`.
    """

    store: str
    n_frames: int = 0
    n_particles: int = 0
    n_counted: int = 0
    n_clusters: int = 0
    n_in_clusters: int = 0
    n_done: dict[str, int] = field(default_factory=dict)
    n_skipped: dict[str, int] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    truth: dict[str, float] = field(default_factory=dict)
    acquisition: dict[str, Any] = field(default_factory=dict)
    sizes: tuple[dict[str, Any], ...] = ()
    reconstructions: tuple[dict[str, Any], ...] = ()

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 3 some items failed."""
        if not self.failed:
            return DONE
        if any(f.stage == "acquire" for f in self.failed):
            # A session without an image went to its end all the same.
            return PARTIAL
        # The clustering of nothing is no success, nor is what follows from it.
        stages = [stage for stage in self.n_done if stage not in ("cluster", "reconstruct")] or list(self.n_done)
        return PARTIAL if any(self.n_done[stage] + self.n_skipped[stage] for stage in stages) else FAILED

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON.

        Returns
        -------
        dict
        """
        return {**asdict(self), "exit_code": self.exit_code}
