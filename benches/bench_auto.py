"""F1 of automatic segmentation on the ArdaGen S/TEM images (boxes drawn by people), and its time.

python benches/bench_auto.py FOLDER [PICTURES]

FOLDER holds images/ and labels/ (class cx cy w h, fractions of the image). With PICTURES, the best and the worst image are drawn there,
outlines in colour and the boxes drawn by people in white.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np

#: Overlap (part of the union) from which a box counts as found.
IOU = (0.3, 0.5)


def catalyst_rows(folder, segment):
    """Per image: name, regions that match at each `IOU`, regions, boxes; and the CPU seconds."""
    rows = []
    for path in sorted((Path(folder) / "images").iterdir()):
        image, truth = labelled(path)
        start = time.process_time()
        found = boxes(segment(image))
        rows.append((path.stem, *(matches(found, truth, t) for t in IOU), len(found), len(truth), time.process_time() - start))
    return rows


def labelled(path):
    """An image in grey and its boxes (y0, x0, y1, x1)."""
    from PIL import Image

    image = np.asarray(Image.open(path))
    image = image.mean(2) if image.ndim == 3 else image
    height, width = image.shape
    _, x, y, w, h = np.loadtxt(path.parents[1] / "labels" / f"{path.stem}.txt", ndmin=2).T
    return image, np.stack([(y - h / 2) * height, (x - w / 2) * width, (y + h / 2) * height, (x + w / 2) * width], 1)


def draw(folder, rows, pictures, segment):
    """Best and worst image by F1 at the lower `IOU`, as PNG."""
    from matplotlib.patches import Rectangle
    from nanospa.measure import outlines
    from nanospa.report import frame_outlines

    Path(pictures).mkdir(parents=True, exist_ok=True)
    ordered = sorted(rows, key=lambda row: f1([row], 0))
    for name, row in (("worst", ordered[0]), ("best", ordered[-1])):
        path = next((Path(folder) / "images").glob(f"{row[0]}.*"))
        image, truth = labelled(path)
        figure = frame_outlines(image, outlines(segment(image)), title=f"{row[0]}: F1 {f1([row], 0):.2f}")
        for y0, x0, y1, x1 in truth:
            figure.axes[0].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="white", linewidth=0.5))
        figure.savefig(Path(pictures) / f"{name}.png", dpi=200)


def boxes(labels):
    from scipy.ndimage import find_objects

    return np.array([[s[0].start, s[1].start, s[0].stop, s[1].stop] for s in find_objects(labels)], float).reshape(-1, 4)


def matches(found, truth, least):
    """One-to-one matches, best overlap first."""
    low = np.maximum(found[:, None, :2], truth[None, :, :2])
    high = np.minimum(found[:, None, 2:], truth[None, :, 2:])
    common = np.maximum(high - low, 0).prod(2)
    area = [(b[:, 2:] - b[:, :2]).prod(1) for b in (found, truth)]
    iou = common / (area[0][:, None] + area[1] - common)
    n = 0
    while iou.size and iou.max() >= least:
        i, j = np.unravel_index(iou.argmax(), iou.shape)
        iou[i], iou[:, j] = -1, -1
        n += 1
    return n


def f1(rows, which):
    """Pooled F1 at ``IOU[which]``."""
    return 2 * sum(r[1 + which] for r in rows) / max(1, sum(r[3] + r[4] for r in rows))


def report(rows):
    print("| images | F1 at IoU 0.3 | precision | recall | F1 at IoU 0.5 | CPU s |\n|---|---|---|---|---|---|")
    materials = sorted({material(r[0]) for r in rows})
    parts = [("all, pooled", rows), ("half the settings were chosen on", rows[::2]), ("other half", rows[1::2])]
    parts += [(f"all but {m}", [r for r in rows if material(r[0]) != m]) for m in materials]
    parts += [(r[0], [r]) for r in rows]
    for name, part in parts:
        hit, found, true = (sum(r[k] for r in part) for k in (1, 3, 4))
        seconds = sum(r[5] for r in part)
        print(f"| {name} | {f1(part, 0):.3f} | {hit / max(1, found):.2f} | {hit / max(1, true):.2f} | {f1(part, 1):.3f} | {seconds:.2f} |")


def material(stem):
    return re.sub(r"_?\d+$", "", stem)


if __name__ == "__main__":
    import nanospa as ns

    def automatic(image):
        return ns.segment.auto(image, threads=1).labels

    measured = catalyst_rows(sys.argv[1], automatic)
    report(measured)
    if len(sys.argv) > 2:
        draw(sys.argv[1], measured, sys.argv[2], automatic)
