"""DBCV written out from the definitions of Moulavi et al. (2014), with loops."""

import numpy as np


def core_distance(cluster, i):
    d = cluster.shape[1]
    others = [np.linalg.norm(cluster[i] - cluster[j]) for j in range(len(cluster)) if j != i]
    return (sum((1 / r) ** d for r in others) / len(others)) ** (-1 / d)


def tree(cluster, core):
    """Prim on mutual reachability distances, ties to the lowest index: list of (length, i, j)."""
    inside, edges = [0], []
    while len(inside) < len(cluster):
        edges.append(
            min(
                (max(core[i], core[j], np.linalg.norm(cluster[i] - cluster[j])), j, order, i)
                for order, i in enumerate(inside)
                for j in range(len(cluster))
                if j not in inside
            )
        )
        inside.append(edges[-1][1])
    return [(length, i, j) for length, j, _, i in edges]


def validity(points, labels):
    names = [n for n in sorted(set(labels)) if n >= 0]
    clusters = {n: points[labels == n] for n in names}
    cores = {n: [core_distance(c, i) for i in range(len(c))] for n, c in clusters.items()}
    sparse, internal = {}, {}
    for n, c in clusters.items():
        edges = tree(c, cores[n])
        degree = np.bincount([v for _, i, j in edges for v in (i, j)], minlength=len(c))
        internal[n] = [i for i in range(len(c)) if degree[i] > 1]
        inner = [length for length, i, j in edges if degree[i] > 1 and degree[j] > 1]
        # A tree without an inner edge (all members around one) has only outer ones to go by.
        sparse[n] = max(inner or [length for length, _, _ in edges])
    total = 0.0
    for n in names:
        separation = min(
            max(cores[n][i], cores[m][j], np.linalg.norm(clusters[n][i] - clusters[m][j]))
            for m in names
            if m != n
            for i in internal[n]
            for j in internal[m]
        )
        total += len(clusters[n]) / len(points) * (separation - sparse[n]) / max(separation, sparse[n])
    return total
