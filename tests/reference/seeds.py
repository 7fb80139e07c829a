"""Seeds written out: every pixel against its whole window."""

import numpy as np

from tests.reference.label import label


def seeds(distance, labels, separation_px, meaning="distance"):
    distance, labels = np.asarray(distance, np.float32), np.asarray(labels)
    height, width = distance.shape
    if meaning == "distance":
        before = after = max(separation_px - 1, 1)
        floor, margin = 0.0, 0
    else:
        before = separation_px // 2
        after = separation_px - 1 - before
        floor, margin = distance.min(initial=np.inf), 1
    maxima = np.zeros(distance.shape, bool)
    for y in range(margin, height - margin):
        for x in range(margin, width - margin):
            window = (slice(max(y - before, 0), y + after + 1), slice(max(x - before, 0), x + after + 1))
            rivals = distance[window][labels[window] == labels[y, x]]
            maxima[y, x] = labels[y, x] > 0 and distance[y, x] > floor and distance[y, x] >= rivals.max()
    if meaning != "distance":
        return label(maxima, 4)[0]
    # Which maxima are one seed: a graph with an edge between any two of a label in reach, searched from each first pixel.
    markers = np.zeros(distance.shape, np.int32)
    positions = np.argwhere(maxima)
    for start in positions:
        if markers[tuple(start)]:
            continue
        number = markers.max() + 1
        front = [start]
        markers[tuple(start)] = number
        while front:
            at = front.pop()
            for to in positions:
                if not markers[tuple(to)] and np.abs(at - to).max() <= before and labels[tuple(at)] == labels[tuple(to)]:
                    markers[tuple(to)] = number
                    front.append(to)
    return markers
