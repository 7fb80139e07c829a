"""Whole reconstructions: wall and CPU time and memory, over boxes, images and starts.

No peer does this job in one process (e2initialmodel and RELION install from no registry), so the table shows how the time grows.

Run: ``python benches/bench_reconstruct.py``; each row is a process of its own.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

#: (box, images, starts)
ROWS = ((64, 100, 32), (64, 50, 32), (64, 200, 32), (64, 100, 8), (64, 100, 64), (128, 100, 32), (166, 100, 32))


def row(box, n, starts):
    """One reconstruction of stars at SNR 5."""
    import nanospa as ns

    from tests.reconstruct import stacks

    images = stacks.stack("star", n, box=box, snr=5, seed=1)
    # What is loaded or planned once does not count.
    ns.reconstruct.reconstruct(stacks.stack("cube", 5, box=32).images, pixel_size_nm=0.8, n_starts=1)
    wall, cpu = time.perf_counter(), time.process_time()
    found = ns.reconstruct.reconstruct(images.images, pixel_size_nm=images.pixel_size_nm, n_starts=starts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps([wall, cpu, memory, found.attrs["verdict"]]))


def main():
    """The table."""
    if len(sys.argv) == 4:
        row(*map(int, sys.argv[1:]))
        return
    print("| box | images | starts | wall s | CPU s | memory GiB | verdict |\n|---|---|---|---|---|---|---|")
    for each in ROWS:
        out = subprocess.run([sys.executable, __file__, *map(str, each)], capture_output=True, text=True, check=True).stdout
        wall, cpu, memory, verdict = json.loads(out.splitlines()[-1])
        print(f"| {' | '.join(map(str, each))} | {wall:.1f} | {cpu:.1f} | {memory:.2f} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
