"""Projected thickness written out: points along each pixel's line, counted where they are inside the body."""

import itertools

import numpy as np


def star_tetrahedra(etching):
    """The 48 tetrahedra (centre, four-fold tip, three-fold corner, pulled-in face centre) of a star of half size 1."""
    corners = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [(1 - etching) / 2, (1 - etching) / 2, 0]])
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield corners[:, order] * signs


def decahedron_corners():
    ring = [(np.cos(a), np.sin(a), 0) for a in np.arange(5) * 2 * np.pi / 5]
    return np.array([*ring, (0, 0, 1 / np.sqrt(3)), (0, 0, -1 / np.sqrt(3))])


def icosahedron_corners():
    golden = (1 + np.sqrt(5)) / 2
    corners = [np.roll((0, a, b * golden), k) for a in (1, -1) for b in (1, -1) for k in range(3)]
    return np.array(corners) / np.sqrt(1 + golden**2)


def inside_unit(shape, parameter, points):
    """Whether points (n, 3) are in the body of half size 1."""
    if shape == "sphere":
        return np.linalg.norm(points, axis=1) <= 1
    if shape == "cube":
        return np.linalg.norm(points, ord=parameter, axis=1) <= 1
    if shape == "octahedron":
        return np.abs(points).sum(axis=1) <= 1
    if shape == "truncated_octahedron":
        faces = [*np.eye(3), *(np.array(s) / 1.5 for s in itertools.product((1, -1), repeat=3))]
        return np.all([np.abs(points @ f) <= 1 for f in faces], axis=0)
    if shape in ("decahedron", "icosahedron"):
        # The convex hull of the corners.
        from scipy.spatial import ConvexHull

        hull = ConvexHull(decahedron_corners() if shape == "decahedron" else icosahedron_corners())
        return np.all(points @ hull.equations[:, :3].T + hull.equations[:, 3] <= 1e-12, axis=1)
    if shape == "rod":
        on_axis = np.clip(points[:, 2], -(parameter - 1), parameter - 1)
        return np.linalg.norm(points - on_axis[:, None] * [0, 0, 1], axis=1) <= 1
    found = np.zeros(len(points), bool)
    for tetrahedron in star_tetrahedra(parameter):
        weights = np.linalg.solve(tetrahedron.T, points.T)
        found |= np.all(weights >= -1e-12, axis=0) & (weights.sum(axis=0) <= 1)
    return found


def thickness(shape, parameter, size, rotation, stretch, box, pixel, n_depth=400, n_side=1):
    reach = (parameter if shape == "rod" else np.sqrt(3)) * size / 2 * max(stretch)
    z = (np.arange(n_depth) + 0.5) / n_depth * 2 * reach - reach
    offsets = (np.arange(n_side) + 0.5) / n_side - 0.5
    out = np.zeros((box, box))
    for iy, ix in itertools.product(range(box), repeat=2):
        for dy, dx in itertools.product(offsets, repeat=2):
            image = np.stack([np.full_like(z, (ix - box // 2 + dx) * pixel), np.full_like(z, (iy - box // 2 + dy) * pixel), z])
            body = (rotation.T @ image).T / stretch / (size / 2)
            out[iy, ix] += inside_unit(shape, parameter, body).mean() * 2 * reach
    return out / n_side**2
