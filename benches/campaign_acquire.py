"""Sessions on the simulated microscope, killed at random and resumed: every store must equal that of an uninterrupted one.

Each session runs in a process of its own that is killed (SIGKILL) one to three times, at a random time, after a random event, or with a
frame on disk whose event is not; then it is resumed to its end. Compared are all arrays: surveys, frames, labels, tables, truth, journal
and records with the microscope's state at every event.

    python benches/campaign_acquire.py [--kills 20] [--images 24] [--scheduler local:2] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr

#: Acquires, and kills itself where it is told to.
PROCESS = """
import json, os, signal, sys
from nanospa import pipeline
from nanospa.pipeline.event_journal import EventJournal

def main():
    settings, store, scheduler, number, where = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
    append = EventJournal.append
    def dying(self, event):
        if where == "before" and event.number == number:
            os.kill(os.getpid(), signal.SIGKILL)
        append(self, event)
        if where == "after" and event.number == number:
            os.kill(os.getpid(), signal.SIGKILL)
    EventJournal.append = dying
    pipeline.acquire(settings, store, scheduler=scheduler)

if __name__ == "__main__":
    main()
"""


def contents(path: Path) -> dict[str, object]:
    """Every array of a store by its path."""
    found: dict[str, object] = {}

    def visit(group: zarr.Group) -> None:
        for _, array in group.arrays():
            values = np.asarray(array[...])
            found[array.path] = (values.shape, values.tolist() if values.dtype.kind not in "buif" else values.tobytes())
        for _, child in group.groups():
            visit(child)

    visit(zarr.open_group(str(path), mode="r"))
    return found


def run(settings: str, store: Path, scheduler: str, kill: tuple[str, float] | None) -> tuple[int, float]:
    """One process, killed as told; exit code and seconds."""
    where, when = kill or ("never", -1)
    program = store.parent / "acquire_and_die.py"
    program.write_text(PROCESS)
    arguments = [sys.executable, str(program), settings, str(store), scheduler, str(int(when) if where != "time" else -1), where]
    started = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        code = process.wait(timeout=when if where == "time" else 1200)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    return code, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--scheduler", default="local:2")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    plan = {"max_images": chosen.images, "tiles": 2, "image_shape": [512, 512], "stage_y_um": [0, 0.7], "stage_x_um": [0, 0.7]}
    settings = json.dumps({"acquire": plan, "cluster": {"method": "kmeans", "options": {"n_clusters": 3}}})
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.zarr"
        code, seconds = run(settings, whole, chosen.scheduler, None)
        if code:
            sys.exit(f"the uninterrupted session ended with {code}")
        expected = contents(whole)
        n_events = expected["journal/acquire"][0][0]  # type: ignore[index]
        print(f"uninterrupted: {n_events} events, {chosen.images} images, {seconds:.0f} s\n")
        print("| session | killed | differs from the uninterrupted |\n|---|---|---|")
        n_kills, n_bad, session = 0, 0, 0
        while n_kills < chosen.kills:
            store, killed, session = Path(folder) / f"session{session}.zarr", [], session + 1
            for _ in range(min(rng.choice((1, 1, 2, 3)), chosen.kills - n_kills)):
                where = rng.choice(("time", "after", "before"))
                kill = (where, rng.uniform(1, seconds) if where == "time" else rng.randrange(n_events))
                code, _ = run(settings, store, chosen.scheduler, kill)
                # Further on than the kill was to be, it comes to its end.
                if code == -signal.SIGKILL:
                    killed.append(f"{where} {'event ' if where != 'time' else ''}{kill[1]:.0f}{' s' if where == 'time' else ''}")
            n_kills += len(killed)
            code, _ = run(settings, store, chosen.scheduler, None)
            found = contents(store) if code == 0 else {}
            differ = sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))
            n_bad += bool(differ)
            print(f"| {session} | {', '.join(killed) or 'not'} | {', '.join(differ[:4]) or 'no'} |", flush=True)
    print(f"\n{n_kills} kills, {n_bad} of {session} stores differ")
    sys.exit(bool(n_bad))


if __name__ == "__main__":
    main()
