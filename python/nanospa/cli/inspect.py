"""Commands that only look: info and doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nanospa.cli import options, output


def info(store: options.StoreArgument, as_json: options.Json = False, verbose: options.Verbose = 0, quiet: options.Quiet = False) -> None:
    """What a store holds and what is done."""
    output.set_level(verbose, quiet)
    from nanospa.io.store import Store
    from nanospa.pipeline.acquired_summary import standing_of

    opened = Store.open(store)
    attributes = opened.attributes
    standing, taken = standing_of(opened), _taken(opened)
    stacks = [
        {
            "name": s.name,
            "frames": taken.get(s.name, 0) if standing else s.n_frames,
            "shape": list(s.shape),
            "dtype": s.dtype,
            "pixel_size_nm": s.pixel_size_nm,
        }
        for s in opened.stacks
    ]
    document: dict[str, Any] = {
        "store": str(store),
        "schema_version": attributes["schema_version"],
        "nanospa_version": attributes["nanospa_version"],
        "stacks": [{**s, "labels": opened.stacks.label_names(str(s["name"]))} for s in stacks],
        "tables": {name: _rows(opened, name) for name in opened.tables()},
        "stages": {
            stage: {"done": int((entries != 0).sum()), "items": int(entries.size)}
            for stage in opened.journal.stages()
            for entries in [opened.journal.entries(stage)[: standing.get(_COUNTS.get(stage, ""))]]
        },
        "volumes": {name: _volume(opened, name) for name in opened.volumes.names()},
        "surveys": standing.get("n_surveys", 0),
        "acquisition": standing,
        "truth": attributes.get("truth", {}),
        "warnings": attributes.get("warnings", []),
        "settings": attributes.get("settings"),
    }
    if as_json:
        output.print_json(document)
        return
    output.say(f"{store}: nanospa store, schema {document['schema_version']}, made by nanospa {document['nanospa_version']}")
    for s in document["stacks"]:
        size = (
            "pixel size unknown" if s["pixel_size_nm"] is None else f"{s['pixel_size_nm'][0]:.4g} × {s['pixel_size_nm'][1]:.4g} nm a pixel"
        )
        kept = ", ".join(s["labels"]) or "none"
        output.say(
            f"  {s['name']}: {output.counted(s['frames'], 'frame')} {s['shape'][0]} × {s['shape'][1]} {s['dtype']}, {size}; labels: {kept}"
        )
    output.say("  stages: " + (", ".join(f"{k} {v['done']}/{v['items']}" for k, v in document["stages"].items()) or "none"))
    output.say("  tables: " + (", ".join(f"{k} ({output.counted(v, 'row')})" for k, v in document["tables"].items()) or "none"))
    if document["volumes"]:
        said = (f"{name} ({v['n_images']} images, {v['symmetry']}, {v['verdict']})" for name, v in document["volumes"].items())
        output.say("  volumes: " + ", ".join(said))
    if standing:
        why = f" ({standing['reason']})" if standing["reason"] else ""
        taken_of = f"{output.counted(standing['n_images'], 'image')} of {output.counted(standing['n_surveys'], 'survey')}"
        output.say(f"  acquisition: {standing['state']}{why}, {taken_of}")
    for text in document["warnings"]:
        output.complain(f"warning: {text}")


#: What a session that runs or was killed has of each stage: arrays and journals have room for more.
_COUNTS = {"acquire": "n_events", "input": "n_images", "segment": "n_images", "survey": "n_surveys"}


def _taken(store: Any) -> dict[str, int]:
    """Images that a session has put into each stack; empty for a store without one."""
    from nanospa.pipeline.acquired_frames import IMAGES, kept_frames
    from nanospa.pipeline.event_journal import has_events

    found: dict[str, int] = {}
    for frame in kept_frames(store, IMAGES) if has_events(store) else ():
        found[frame.stack] = found.get(frame.stack, 0) + 1
    return found


def _volume(store: Any, name: str) -> dict[str, Any]:
    """What a volume says of itself."""
    attributes = store.volumes.attributes(name)
    return {
        key: attributes.get(key) for key in ("n_images", "symmetry", "verdict", "flags", "resolution_nm", "pixel_size_nm", "volume_nm3")
    }


def _rows(store: Any, name: str) -> int:
    """Rows of a table, from its metadata alone."""
    first = next(iter(store.root[name].arrays()), None)
    return 0 if first is None else int(first[1].shape[0])


def doctor(
    store: Annotated[Path | None, typer.Argument(help="Store to check; without one the installation.", show_default=False)] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mark damaged items as not done, so that the next run makes them again.")
    ] = False,
    as_json: options.Json = False,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
) -> None:
    """Check the installation, or read a whole store and list what is damaged or missing."""
    output.set_level(verbose, quiet)
    document = _installation() if store is None else _check(store, repair)
    if as_json:
        output.print_json(document)
    elif store is None:
        for key, value in document.items():
            output.say(f"{key:<14} {value}")
    else:
        counts = f"{len(document['damaged'])} damaged, {document['missing']} items not done"
        output.say(f"{store}: {document['checked']} arrays of frames and volumes read, {counts}")
        for text in document["damaged"]:
            output.complain(text)
        if document["damaged"]:
            output.say("marked as not done: run again to make them anew" if repair else "nanospa doctor --repair marks them as not done")
    if document.get("damaged"):
        raise typer.Exit(3)


def _installation() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    import nanospa
    from nanospa import _threads, io

    def found(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "missing"

    table = io.formats()
    document = {
        "nanospa": nanospa.__version__,
        "python": platform.python_version(),
        "cores": f"{_threads.available_cores()} usable, {_threads.resolve()} threads a kernel",
        **{name: found(name) for name in ("numpy", "xarray", "zarr", "distributed", "scikit-learn", "scikit-image")},
        "formats": ", ".join(table["name"][table["available"]]),
    }
    missing = table[~table["available"]]
    if len(missing):
        document["not readable"] = ", ".join(f"{n} (extra [{e}])" for n, e in zip(missing["name"], missing["extra"], strict=True))
    return document


def _check(path: Path, repair: bool) -> dict[str, Any]:
    from nanospa.errors import NanospaError
    from nanospa.io.records import decode_record
    from nanospa.io.store import Store
    from nanospa.pipeline.acquired_frames import SURVEYS, kept_frames
    from nanospa.pipeline.frame_source import ACQUIRED, frames_of
    from nanospa.schema.store import LABELS, TRUE_LABELS

    store = Store.open(path, writable=repair)
    frames, damaged, checked = frames_of(store), [], 0
    arrays: list[tuple[str, str | None]] = [("input", None), ("input", TRUE_LABELS), ("segment", LABELS)]
    for stage, labels in arrays:
        done = store.journal.entries(stage)
        for frame in frames:
            present = labels is None or labels in store.stacks.label_names(frame.stack)
            if not present or frame.row >= done.size or not done[frame.row]:
                continue
            checked += 1
            try:
                store.stacks.read(frame.stack, frame.index, labels)
            except NanospaError as error:
                lost = labels is None and frame.source.startswith(ACQUIRED)
                damaged.append(f"{error}; it was acquired and cannot be made anew" if lost else str(error))
                if repair and not lost:
                    store.journal.clear(stage, frame.row)
    for frame in kept_frames(store, SURVEYS):
        checked += 1
        try:
            store.surveys.read(frame.stack, frame.index)
        except NanospaError as error:
            damaged.append(f"survey {frame.row}: {error}")
    for stage in store.journal.stages():
        entries = store.journal.entries(stage)
        for item in entries.nonzero()[0]:
            try:
                decode_record(store.journal.records(stage, [int(item)])[0])
            except NanospaError as error:
                damaged.append(f"{stage}, item {item}: {error}")
                if repair:
                    store.journal.clear(stage, int(item))
    for name in store.tables():
        try:
            store.read_table(name)
        except NanospaError as error:
            damaged.append(str(error))
    for name in store.volumes.names():
        checked += 1
        try:
            store.volumes.read(name)
        except NanospaError as error:
            damaged.append(str(error))
            if repair:
                store.journal.clear("reconstruct", store.volumes.attributes(name)["cluster"])
    missing = sum(int((store.journal.entries(stage) == 0).sum()) for stage in store.journal.stages())
    return {"store": str(path), "checked": checked, "damaged": damaged, "missing": missing, "repaired": repair and bool(damaged)}
