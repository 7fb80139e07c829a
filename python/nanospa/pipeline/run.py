"""Run the stages over all frames into one store; what is done with the same settings on the same data is not done again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import EmptyInputError, NanospaError, StoreError, UnknownNameError
from nanospa.io.frame_paths import frame_paths
from nanospa.io.records import decode_record
from nanospa.io.store import Store
from nanospa.pipeline import cut_outs, frame_source, tables
from nanospa.pipeline.acquisition_tables import recover
from nanospa.pipeline.distribute import Workers, workers
from nanospa.pipeline.event_journal import has_events
from nanospa.pipeline.fingerprint import digest, entry
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.grouping import group_particles
from nanospa.pipeline.reconstruction_clusters import reconstruct_clusters
from nanospa.pipeline.session_lock import unless_acquiring
from nanospa.pipeline.settings import Settings, changed, preset_settings
from nanospa.pipeline.stages import run_item
from nanospa.pipeline.summarise import summarise
from nanospa.pipeline.summary import Failure, Summary
from nanospa.pipeline.trained_model import located, model_digest
from nanospa.schema.store import LABELS, PARTICLES, TRUE_LABELS

#: Stages in order.
STAGES = ("input", "segment", "measure", "cluster", "reconstruct")

Progress = Callable[[str, float, int, int], None]


def run(
    settings: Any = None,
    store: str | Path = "run.zarr",
    *,
    images: Any = None,
    scheduler: Any = "local",
    stages: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Find, measure, group and reconstruct the particles of many frames, into one store.

    A frame that fails is reported and costs no other; run again, what is done with the same settings on the same data is kept, and a
    changed setting repeats its stage and those after it. Labels edited by hand (``labels/particles_corrected`` of a stack) win.

    Parameters
    ----------
    settings : Settings, mapping, str, Path or None
        Settings; a mapping of sections; the name of a preset; a YAML file. None takes those of the store, or the defaults.
    store : str or Path
        Folder of the store; made where there is none.
    images : str, Path, sequence, array_like or DataArray of shape (frame, y, x), optional
        Files, folders or patterns, or the frames themselves; wins over the settings. None takes the settings' images or simulation, or
        the frames in the store.
    scheduler : str, Path, distributed.Client or None
        "sync" (this process, without Dask), "local" (a process a core), "local:N", "tcp://host:port", a scheduler file, a Client; None
        takes ``DASK_SCHEDULER_ADDRESS`` and else "local". Where processes are started, the calling script needs the usual
        ``if __name__ == "__main__":``.
    stages : iterable of str, optional
        Of "input", "segment", "measure", "cluster", "reconstruct"; all by default. Settings of the others stay those of the store.
    progress : callable, optional
        Called with (stage, items done, items in all, items failed); of clusters that are reconstructed also parts of one.

    Returns
    -------
    Summary
        Numbers, failures, seconds of each stage, exit code.

    Raises
    ------
    SettingsError, UnknownNameError
        Settings, a preset or a stage that is not known.
    EmptyInputError
        No frame to work on.
    StoreError, StoreSchemaError
        The store cannot be written, is being acquired into, or is of another schema.
    SchedulerError
        The scheduler does not answer.

    Examples
    --------
    >>> import nanospa as ns, tempfile
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> settings = {"simulate": {"n_frames": 2, "shape": (256, 256), "n_particles": 4}}
    >>> summary = ns.pipeline.run(settings, path, scheduler="sync")
    >>> summary.n_frames, summary.exit_code
    (2, 0)
    """
    names = _stages(stages)
    chosen = as_settings(settings, Path(store))
    chosen = _with_kept(chosen, Path(store), names)
    if "segment" in names:
        chosen = located(chosen)
    source, chosen = _source(images, chosen, Path(store), "input" in names)
    with workers(scheduler) as pool, unless_acquiring(Path(store)):
        opened = Store.ensure(store)
        return Run(opened, chosen, pool, progress).all(names, source)


class Run:
    """One run: the store, its frames, and what happened."""

    def __init__(
        self, store: Store, settings: Settings, pool: Workers, progress: Progress | None, clusters: Collection[int] | None = None
    ) -> None:
        self.store, self.settings, self.pool, self.clusters = store, settings, pool, clusters
        self.progress = progress or (lambda stage, done, total, failed: None)
        self.failed: list[Failure] = []
        self.seconds: dict[str, float] = {}
        self.n_done: dict[str, int] = {}
        self.n_skipped: dict[str, int] = {}
        self.frames: list[Frame] = []
        self.text = settings.model_dump_json()

    def all(self, names: Sequence[str], source: Any) -> Summary:
        arrays: dict[int, Any] = {}
        if source is not None:
            found = source(self.settings, self.failed)
            self.frames, arrays = frame_source.placed(self.store, found, self.settings.input.detector)
        else:
            recover(self.store)
            self.frames = frame_source.frames_of(self.store)
        self.store.set_attributes(
            settings=self.settings.model_dump(mode="json"), settings_hash=hashlib.sha256(self.text.encode()).hexdigest()
        )
        for name in names:
            started = time.perf_counter()
            if name == "input":
                if source is not None:
                    self._input(arrays)
            else:
                getattr(self, f"_{name}")()
            inner = self.seconds.get("images", 0.0) if name == "measure" else 0.0
            self.seconds[name] = round(time.perf_counter() - started - inner, 3)
        tables.write_frame_table(self.store, self.frames)
        return summarise(
            self.store,
            self.settings,
            n_frames=len(self.frames),
            failed=self.failed,
            seconds=self.seconds,
            n_done=self.n_done,
            n_skipped=self.n_skipped,
        )

    def _input(self, arrays: Mapping[int, Any]) -> None:
        # Before any frame: the rows say what the journal's items are.
        tables.write_frame_table(self.store, self.frames)
        if self.settings.simulate is not None:
            for stack in {frame.stack for frame in self.frames}:
                self.store.stacks.ensure_labels(stack, TRUE_LABELS)
        entries = [entry("input", f.fingerprint, f.source_frame, f.stack, f.index) for f in self.frames]
        self._items("input", self.frames, entries, lambda frame: {"array": arrays.get(frame.row)}, here=bool(arrays))

    def _segment(self) -> None:
        for stack in {frame.stack for frame in self.frames}:
            self.store.stacks.ensure_labels(stack, LABELS)
        frames = self._after("input")
        digests = self._digests()
        # Where the model lies says nothing, what is in it does.
        section = self.settings.segment.model_dump(mode="json", exclude={"model_file"})
        model = model_digest(self.settings.segment)
        parts = () if model is None else (model,)
        self._items("segment", frames, [entry("segment", section, digests[f.row], *parts) for f in frames], lambda _: {"model": model})

    def _measure(self) -> None:
        frames = self._after("segment")
        digests, segmented = self._digests(), self.store.journal.entries("segment")
        places = {(f.stack, f.index): f for f in self._after("input")}
        previous = {f.row: places.get((f.stack, f.index - 1)) for f in frames}
        # How the population is summed up and which cut-outs are made says nothing about a frame's particles.
        section = self.settings.measure.model_dump(mode="json", exclude={"particle_images", "box_px", "masked", "confidence"})
        entries = []
        for f in frames:
            edited = self.store.stacks.corrected(f.stack, f.index)
            before = previous[f.row]
            parts = (None if edited is None else digest(edited), None if before is None else digests[before.row], f.pixel_size_nm)
            entries.append(entry("measure", section, int(segmented[f.row]), *parts))

        def extra(frame: Frame) -> dict[str, Any]:
            before = previous[frame.row]
            return {"previous": None if before is None else before.index}

        self._items("measure", frames, entries, extra)
        made = self._table_digest(self.settings.measure.confidence)
        if not self.store.has(PARTICLES) or self.store.read_attributes(PARTICLES).get("digest") != made:
            tables.write_particles(self.store, self.frames, self.settings, made)
        if self.settings.measure.particle_images:
            self._images()

    def _images(self) -> None:
        started = time.perf_counter()
        blocks = cut_outs.plan(self.store, self.frames, self.settings.measure)
        if blocks:
            self._items("images", [b.frame for b in blocks], [b.entry for b in blocks], lambda frame: blocks[frame.row].extra)
        self.seconds["images"] = round(time.perf_counter() - started, 3)

    def _cluster(self) -> None:
        self.store.journal.ensure("cluster", 1)
        if not self.store.has(PARTICLES):
            raise StoreError(f"{self.store.path}: expected measured particles in the store, found none; run measure first")
        made = entry("cluster", self.settings.cluster.model_dump(mode="json"), self.store.read_attributes(PARTICLES).get("digest"))
        if int(self.store.journal.entries("cluster")[0]) == made and self.store.has(f"{PARTICLES}/cluster"):
            self.n_done["cluster"], self.n_skipped["cluster"] = 0, 1
            return
        self.progress("cluster", 0, 1, 0)
        try:
            group_particles(self.store, self.settings, made)
            self.n_done["cluster"], self.n_skipped["cluster"] = 1, 0
        except NanospaError as error:
            self.failed.append(Failure("cluster", -1, "", error.kind, str(error)))
        except Exception as error:
            # The particles are measured all the same.
            self.failed.append(Failure("cluster", -1, "", "error", f"{type(error).__name__}: {error}"))
        self.progress("cluster", 1, 1, sum(f.stage == "cluster" for f in self.failed))

    def _reconstruct(self) -> None:
        if not self.store.has(f"{PARTICLES}/cluster"):
            if any(failure.stage == "cluster" for failure in self.failed):
                return
            raise StoreError(f"{self.store.path}: expected clusters in the store, found none; run cluster first")
        done, skipped = reconstruct_clusters(
            self.store,
            self.settings.reconstruct,
            self.frames,
            self.pool,
            only=self.clusters,
            progress=self.progress,
            failed=self.failed,
        )
        self.n_done["reconstruct"], self.n_skipped["reconstruct"] = done, skipped

    def _items(
        self, stage: str, frames: Sequence[Frame], entries: Sequence[int], extra: Callable[[Frame], dict[str, Any]], *, here: bool = False
    ) -> None:
        """Do the items whose journal entry is not the one they would get."""
        n_items = len(frames) if stage == "images" else len(self.frames)
        self.store.journal.ensure(stage, n_items)
        done = self.store.journal.entries(stage)
        pending = [(f, e) for f, e in zip(frames, entries, strict=True) if int(done[f.row]) != e]
        self.n_skipped[stage], n_done, n_failed = len(frames) - len(pending), 0, 0
        path, token = str(self.store.path.resolve()), f"{time.time_ns()}"
        self.progress(stage, 0, len(pending), 0)

        def arguments() -> Iterator[tuple[Any, ...]]:
            for frame, made in pending:
                yield stage, path, token, self.text, frame, made, extra(frame)

        pool = Workers("sync") if here else self.pool
        for number, outcome in pool.run(run_item, arguments()):
            frame = pending[number][0]
            if isinstance(outcome, Exception):
                why = "a worker died with it" if type(outcome).__name__ == "KilledWorker" else f"{type(outcome).__name__}: {outcome}"
                kind = getattr(outcome, "kind", "worker_lost" if type(outcome).__name__ == "KilledWorker" else "error")
                outcome = {"kind": kind, "message": why}
            if "kind" in outcome:
                n_failed += 1
                self.failed.append(Failure(stage, frame.row, frame.source, outcome["kind"], outcome["message"]))
            else:
                n_done += 1
            self.progress(stage, n_done + n_failed, len(pending), n_failed)
        self.n_done[stage] = n_done

    def _after(self, stage: str) -> list[Frame]:
        """Frames that a stage is done with."""
        done = self.store.journal.entries(stage)
        found = [f for f in self.frames if f.row < done.size and done[f.row]]
        if not found and not self.failed and self.frames:
            raise StoreError(f"{self.store.path}: expected frames that {stage} is done with, found none; run {stage} first")
        return found

    def _digests(self) -> list[str]:
        """Hash of each frame's pixels; empty where it is not there."""
        if not self.frames:
            return []
        return [decode_record(text)[0].get("digest", "") if text else "" for text in self.store.journal.records("input")]

    def _table_digest(self, confidence: float) -> str:
        done = self.store.journal.entries("measure")
        return hashlib.sha256(done.tobytes() + np.float64(confidence).tobytes()).hexdigest()[:16]


def _stages(stages: Iterable[str] | None) -> tuple[str, ...]:
    names = STAGES if stages is None else tuple([stages] if isinstance(stages, str) else stages)
    unknown = [name for name in names if name not in STAGES]
    if unknown or not names:
        raise UnknownNameError(f"stages: expected names of {', '.join(STAGES)}, found {', '.join(map(repr, unknown)) or 'none'}")
    return tuple(name for name in STAGES if name in names)


def as_settings(settings: Any, store: Path) -> Settings:
    """Settings of whatever a user may give: settings, a mapping, a file, a preset; None takes those of the store."""
    if isinstance(settings, Settings):
        return settings
    if isinstance(settings, Mapping):
        return Settings.from_mapping(settings)
    if settings is not None:
        return (
            Settings.from_yaml(settings)
            if Path(settings).suffix in (".yaml", ".yml") or Path(settings).is_file()
            else preset_settings(str(settings))
        )
    if store.exists():
        return settings_of(Store.open(store))
    return Settings()


def _with_kept(settings: Settings, store: Path, names: Sequence[str]) -> Settings:
    """Sections of stages that are not run stay those the store was made with: its settings say how its data came about."""
    if not store.exists() or len(names) == len(STAGES):
        return settings
    kept = settings_of(Store.open(store))
    sections = {stage: (stage,) for stage in STAGES} | {"input": ("input", "simulate", "acquire")}
    old = [section for stage in STAGES if stage not in names for section in sections[stage]]
    return settings.model_copy(update={section: getattr(kept, section) for section in old})


def settings_of(store: Store) -> Settings:
    """Settings a store was made with; the defaults where it has none."""
    kept = store.attributes.get("settings")
    return Settings() if kept is None else changed(Settings(), kept)


def _source(images: Any, settings: Settings, store: Path, wanted: bool) -> tuple[Any, Settings]:
    """Where frames come from: a function of (settings, failures) to frames, or None for those in the store; and the settings to keep."""
    if not wanted:
        if not store.exists():
            raise StoreError(f"{store}: no such store; give images, or a store that has frames")
        return None, settings
    patterns: Any = images
    if images is None:
        patterns = settings.input.images or None
    if patterns is not None:
        settings = changed(settings, {"simulate": None})
    if patterns is None:
        if settings.simulate is not None:
            return (lambda chosen, failed: frame_source.simulated(chosen)), settings
        if store.exists() and (has_events(Store.open(store)) or frame_source.frames_of(Store.open(store))):
            # How they came about stays what it was.
            return None, settings.model_copy(update={"acquire": settings_of(Store.open(store)).acquire})
        raise EmptyInputError(
            "images: expected files, a folder, a pattern, arrays or a simulation to work on, found none; nanospa acquire acquires some"
        )
    if not _are_paths(patterns):
        return (lambda chosen, failed: frame_source.of_arrays(patterns, chosen)), settings
    paths = frame_paths(patterns)
    listed = [str(patterns)] if isinstance(patterns, (str, Path)) else [str(p) for p in patterns]
    settings = changed(settings, {"input": {"images": tuple(listed)}})
    return (lambda chosen, failed: frame_source.of_files(paths, chosen, failed)), settings


def _are_paths(images: Any) -> bool:
    if isinstance(images, (str, Path)):
        return True
    return isinstance(images, (list, tuple)) and all(isinstance(each, (str, Path)) for each in images)
