"""What a start costs: seconds of fresh processes beside an empty one, and the size of the wheel.

Run `python benches/bench_startup.py`; it prints a markdown table. Processes are started in turn, medians of the rounds; files are in the
system's cache after the first, which is not counted. The size is that of the newest wheel in dist/, if `make wheel` has made one.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

COMMANDS = {
    "python, nothing else": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import nanospa": ["-c", "import nanospa"],
    "import nanospa; nanospa.segment": ["-c", "import nanospa; nanospa.segment.segment"],
    "nanospa --help": ["-m", "nanospa", "--help"],
}
DIST = Path(__file__).parents[1] / "dist"


def once(arguments: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one process."""
    before, start = children_seconds(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, children_seconds() - before


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for i in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            found = once(arguments)
            if i > 0:
                seconds[name].append(found)
    print("| process | wall s | CPU s |\n|---|---|---|")
    for name, found in seconds.items():
        wall, cpu = (median(column) for column in zip(*found, strict=True))
        print(f"| {name} | {wall:.3f} | {cpu:.3f} |")
    wheels = sorted(DIST.glob("nanospa-*.whl"), key=lambda path: path.stat().st_mtime)
    if wheels:
        print(f"\nWheel {wheels[-1].name}: {wheels[-1].stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
