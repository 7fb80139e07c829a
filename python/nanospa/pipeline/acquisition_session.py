"""The session of a store: events and frames onto the disk, images to their segmentation, tables at checkpoints and at the end."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nanospa.acquire import Event
from nanospa.io.store import Store
from nanospa.pipeline.acquired_frames import AcquiredFrames
from nanospa.pipeline.acquisition_progress import AcquisitionProgress
from nanospa.pipeline.acquisition_tables import write_acquisition
from nanospa.pipeline.distribute import Workers
from nanospa.pipeline.event_journal import EventJournal
from nanospa.pipeline.fingerprint import entry
from nanospa.pipeline.run import Progress, Run
from nanospa.pipeline.session_lock import abort_requested, forget_request
from nanospa.pipeline.settings import AcquireSettings, Settings
from nanospa.pipeline.stages import run_item
from nanospa.pipeline.summary import Summary
from nanospa.pipeline.trained_model import model_digest
from nanospa.schema.store import LABELS, TRUE_LABELS

if TYPE_CHECKING:
    from nanospa.acquire import Microscope

#: Stages that follow the acquisition.
ANALYSIS = ("segment", "measure", "cluster", "reconstruct")
#: The tables are written when the images have grown by this factor since the last time, and by at least so many.
CHECKPOINT_GROWTH, CHECKPOINT_IMAGES = 1.5, 16
#: Images a worker thread that may wait to be segmented before the microscope waits for them: they wait on disk, and cost nothing.
WINDOW = 64
#: Images the journal of the segmentation grows by.
BLOCK = 64

OnEvent = Callable[[Event, AcquisitionProgress], None]


class AcquisitionSession:
    """The session of a store: events, frames, and what became of it."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        pool: Workers,
        microscope: Microscope | None,
        *,
        analyse: bool,
        progress: Progress | None = None,
        on_event: OnEvent | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        assert settings.acquire is not None
        self.store, self.settings, self.section, self.pool, self.analyse = store, settings, settings.acquire, pool, analyse
        self.microscope = microscope
        self.tell, self.on_event, self.stop = progress or (lambda *_: None), on_event, stop or (lambda: False)
        self.journal = EventJournal(store)
        self.progress = AcquisitionProgress()
        for event in self.journal.events:
            self.progress.see(event)
        truth = getattr(microscope, "truth", None)
        names = (*((TRUE_LABELS,) if truth is not None else ()), *((LABELS,) if analyse else ()))
        self.frames = AcquiredFrames(store, self.progress.n_images, self.progress.n_surveys, truth, names)
        self.error: Exception | None = None
        self.state, self.reason = "running", ""
        self._written = len(self.frames.images)
        self._room = 0
        self._n_segmented = 0

    def all(self) -> Summary:
        started, n_before = time.perf_counter(), self.progress.n_images
        text = self.settings.model_dump_json()
        self.store.set_attributes(
            settings=self.settings.model_dump(mode="json"),
            settings_hash=hashlib.sha256(text.encode()).hexdigest(),
            acquisition={"state": "running", "reason": ""},
        )
        if not self.journal.over:
            forget_request(self.store.path)
            self._acquire(text)
        # A plan that is refused has no event.
        last = self.journal.events[-1] if self.journal.events else None
        if self.error is not None:
            self.state, self.reason = "failed", str(self.error)
        elif last is None:
            pass
        elif last.kind == "end":
            self.state, self.reason = "ended", str(last.values.get("reason", ""))
        elif last.kind == "pause":
            self.state, self.reason = "paused", str(last.values.get("reason", ""))
        self.finish(self.state, self.reason)
        if self.error is not None:
            raise self.error
        run = Run(self.store, self.settings, self.pool, self.tell)
        run.seconds["acquire"] = round(time.perf_counter() - started, 3)
        run.n_done["acquire"], run.n_skipped["acquire"] = self.progress.n_images - n_before, n_before
        summary = run.all(ANALYSIS if self.analyse and self.state == "ended" and self.frames.images else (), None)
        # What was segmented meanwhile was not kept from before.
        done = {**summary.n_done, "segment": summary.n_done.get("segment", 0) + self._n_segmented}
        kept = {**summary.n_skipped, "segment": summary.n_skipped.get("segment", 0) - self._n_segmented}
        return replace(summary, n_done=done, n_skipped=kept) if "segment" in summary.n_done else summary

    def finish(self, state: str, reason: str) -> None:
        """Take back what room was made, and write the tables and how the session stands."""
        self.frames.forget_after(self.progress.n_images, self.progress.n_surveys)
        try:
            self.journal.trim()
            self.frames.trim()
            self.store.journal.trim("segment", len(self.frames.images))
            # Whatever it stands still for, it can go on.
            self._write_tables({"state": "paused", "reason": reason} if state != "ended" else None)
            self.store.set_attributes(acquisition={"state": state, "reason": reason})
        except OSError:
            # A full disk ended the session and stands in the way of this too: the records have everything.
            if self.error is None:
                raise

    def end(self, reason: str) -> None:
        """Write that the session is over."""
        before = self.journal.events[-1].values if self.journal.events else {}
        values = {"reason": reason, "clock_s": before.get("clock_s", 0.0), "seconds": 0.0}
        self._happened(Event(len(self.journal.events), "end", values, self.journal.events[-1].state if self.journal.events else {}))

    def _acquire(self, text: str) -> None:
        items = self._items(text)
        if not self.analyse:
            for _ in items:
                pass
            return
        self.pool.start()
        try:
            for _, outcome in self.pool.run(run_item, items, WINDOW):
                # What failed is tried again, and told, by the stage itself.
                self._n_segmented += isinstance(outcome, dict) and "kind" not in outcome
        except Exception:
            # Workers that are gone are no reason to leave the specimen.
            for _ in items:
                pass

    def _items(self, text: str) -> Generator[tuple[Any, ...]]:
        """Acquire, and give the segmentation of each image as it is there: it runs while the next is acquired."""
        from nanospa import acquire as acquiring

        model = model_digest(self.settings.segment) if self.analyse else None
        # As the stage itself has it.
        section = self.settings.segment.model_dump(mode="json", exclude={"model_file"})
        parts = () if model is None else (model,)
        token = f"{time.time_ns()}"
        path = str(self.store.path.resolve())
        self._tell()
        assert self.microscope is not None
        try:
            events = acquiring.acquire(
                self.microscope,
                self.section.plan,
                find_particles=finder(self.section),
                on_frame=self.frames.keep,
                history=self.journal.events[:],
                load_survey=self.frames.survey_image,
            )
            for event in events:
                self._happened(event)
                if event.kind == "image":
                    frame = self.frames.images[-1]
                    self._checkpoint()
                    if self.analyse:
                        self._make_room(frame.row)
                        made = entry("segment", section, frame.fingerprint, *parts)
                        yield "segment", path, f"{token}.{self.frames.generation}", text, frame, made, {"model": model}
                if event.kind in ("end", "pause"):
                    break
                if abort_requested(self.store.path):
                    self.end("aborted")
                    break
                if self.stop():
                    self.state, self.reason = "paused", "interrupted"
                    break
        except Exception as error:
            # What is being segmented is to be finished; then it is raised.
            self.error = error
        finally:
            # Who asked for the end sees from this that the microscope stands still: the analysis goes on for a while.
            forget_request(self.store.path)

    def _happened(self, event: Event) -> None:
        self.journal.append(event)
        self.progress.see(event)
        self._tell()
        if self.on_event is not None:
            self.on_event(event, self.progress)

    def _tell(self) -> None:
        self.tell("acquire", self.progress.n_images, self.progress.n_expected, 0)

    def _make_room(self, row: int) -> None:
        if row >= self._room:
            self._room = row + BLOCK
            self.store.journal.ensure("segment", self._room)
            self.frames.generation += 1

    def _checkpoint(self) -> None:
        """Write the tables now and then: whoever opens the store meanwhile sees how it goes."""
        if len(self.frames.images) >= max(self._written * CHECKPOINT_GROWTH, self._written + CHECKPOINT_IMAGES):
            self._write_tables()
            self._written = len(self.frames.images)

    def _write_tables(self, standing: dict[str, str] | None = None) -> None:
        write_acquisition(self.store, self.journal.events, self.frames.images, self.frames.surveys, standing)


def finder(section: AcquireSettings) -> Callable[[Any, Any], Any] | None:
    """How particles are found in a survey; None leaves it to `nanospa.acquire`."""
    settings = section.find
    if settings is None:
        return None

    def find_particles(image: Any, pixel_size_nm: Any) -> Any:
        from nanospa import segment

        return segment.segment(image, settings=settings)

    return find_particles
