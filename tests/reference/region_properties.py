"""Region properties written out, one region at a time on the whole frame: numpy, no cleverness."""

import numpy as np

DISK_ENTRIES = ((0, 1), (1, 0), (1, 1), (1, -1))


def shifted(mask, dy, dx):
    """mask[y - dy, x - dx], False outside."""
    out = np.zeros_like(mask)
    h, w = mask.shape
    ys, xs = slice(max(dy, 0), h + min(dy, 0)), slice(max(dx, 0), w + min(dx, 0))
    yt, xt = slice(max(-dy, 0), h + min(-dy, 0)), slice(max(-dx, 0), w + min(-dx, 0))
    out[ys, xs] = mask[yt, xt]
    return out


def dilated(mask, steps):
    for step in range(steps):
        around = [(0, 1), (1, 0), (0, -1), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if step % 2 == 0 else [])
        mask = np.logical_or.reduce([mask, *(shifted(mask, *d) for d in around)])
    return mask


def pieces(mask, neighbours):
    todo = {tuple(map(int, p)) for p in np.argwhere(mask)}
    n = 0
    while todo:
        n += 1
        stack = [todo.pop()]
        while stack:
            y, x = stack.pop()
            for dy, dx in neighbours:
                if (q := (y + dy, x + dx)) in todo:
                    todo.remove(q)
                    stack.append(q)
    return n


FOUR = ((0, 1), (1, 0), (0, -1), (-1, 0))
EIGHT = (*FOUR, (1, 1), (1, -1), (-1, 1), (-1, -1))


def edge_midpoints(mask):
    centres = np.argwhere(mask).astype(float)
    return np.unique(np.concatenate([centres + d for d in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))]), axis=0)


def hull_image(mask):
    """Pixels on the inner side of every line through two edge midpoints that has all midpoints on one side."""
    points = edge_midpoints(mask)
    yy, xx = np.indices(mask.shape)
    inside = np.ones(mask.shape, bool)
    for p in points:
        d = points - p
        for q in d[np.any(d != 0, axis=1)]:
            side = q[0] * d[:, 1] - q[1] * d[:, 0]
            if np.all(side >= 0):
                inside &= q[0] * (xx - p[1]) - q[1] * (yy - p[0]) >= 0
    return inside


def feret(mask, sampling):
    points = edge_midpoints(hull_image(mask)) * sampling
    d = points[:, None] - points[None]
    longest = np.sqrt((d**2).sum(-1)).max()
    widths = []
    for v in d.reshape(-1, 2)[np.any(d.reshape(-1, 2) != 0, axis=1)]:
        across = points @ (np.array([-v[1], v[0]]) / np.hypot(*v))
        widths.append(np.ptp(across))
    return longest, min(widths)


def perimeter(mask, sampling):
    sy, sx = sampling
    border = mask & ~np.logical_and.reduce([shifted(mask, *d) for d in FOUR])
    total = 0.0
    for y, x in np.argwhere(border):
        has = {d: bool(0 <= y + d[0] < mask.shape[0] and 0 <= x + d[1] < mask.shape[1] and border[y + d[0], x + d[1]]) for d in EIGHT}
        edges = [sx if d[0] == 0 else sy for d in FOUR if has[d]]
        corners = sum(has[d] for d in EIGHT if d not in FOUR)
        diagonal = np.hypot(sy, sx)
        if len(edges) in (2, 3) and corners <= 2:
            total += np.mean(edges)
        elif len(edges) == 1 and corners in (1, 2):
            total += (edges[0] + diagonal) / 2
        elif (len(edges), corners) in ((0, 2), (1, 3)):
            total += diagonal
    return total


def crofton(mask, sampling):
    sy, sx = sampling
    angle = {(0, 1): 0.0, (1, 0): np.pi / 2, (1, 1): np.arctan2(sy, sx), (1, -1): np.pi - np.arctan2(sy, sx)}
    total = 0.0
    for d in DISK_ENTRIES:
        # Half the distance to the next direction on either side, round the half circle.
        others = sorted((angle[o] - angle[d]) % np.pi for o in DISK_ENTRIES if o != d)
        share = (others[0] + np.pi - others[-1]) / 2
        spacing = sy * sx / np.hypot(d[0] * sy, d[1] * sx)
        total += share * spacing * np.sum(mask & ~shifted(mask, *d))
    return total


def symmetry(mask, centre, n, sampling):
    scale = np.asarray(sampling)
    angle = 2 * np.pi / n
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = np.argwhere(mask)
    turned = ((points - centre) * scale) @ rotation.T / scale + centre
    at = np.floor(turned + 0.5 + 1e-9).astype(int)
    known = np.all((at >= 0) & (at < mask.shape), axis=1)
    return np.sum(mask[tuple(at[known].T)]) / len(points)


def ring_statistics(image, mask, labels):
    values = np.empty(0)
    big = np.pad(mask, 24)
    everyone = np.pad(labels > 0, 24)
    frame = np.pad(np.ones_like(mask), 24)
    for width in (4, 8, 16):
        ring = dilated(big, 2 + width) & ~dilated(everyone, 2) & frame
        values = np.pad(image, 24)[ring]
        if values.size >= 32:
            break
    if values.size == 0:
        return np.nan, np.nan
    for _ in range(5):
        keep = np.abs(values - values.mean()) <= 3 * values.std()
        if keep.all():
            break
        values = values[keep]
    return values.mean(), values.std()


def hu(mask, centre, sampling):
    d = (np.argwhere(mask) - centre) * sampling
    pixel = np.prod(sampling)

    def nu(p, q):
        return pixel * np.sum(d[:, 0] ** p * d[:, 1] ** q) / (pixel * len(d)) ** ((p + q) / 2 + 1)

    a, b = nu(3, 0) + nu(1, 2), nu(2, 1) + nu(0, 3)
    c, e = nu(3, 0) - 3 * nu(1, 2), 3 * nu(2, 1) - nu(0, 3)
    f = nu(2, 0) - nu(0, 2)
    return [
        nu(2, 0) + nu(0, 2),
        f**2 + 4 * nu(1, 1) ** 2,
        c**2 + e**2,
        a**2 + b**2,
        c * a * (a**2 - 3 * b**2) + e * b * (3 * a**2 - b**2),
        f * (a**2 - b**2) + 4 * nu(1, 1) * a * b,
        e * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2),
    ]


def ratio(a, b):
    return a / b if b != 0 else np.nan


def region_properties(image, labels, pixel_size_nm=None, saturation=None, radial_bins=16):
    """List of dicts, one a label in ascending order."""
    image = np.asarray(image, dtype=np.float64)
    sampling = np.ones(2) if pixel_size_nm is None else np.asarray(pixel_size_nm, dtype=float)
    rows = []
    for label in np.unique(labels[labels > 0]):
        mask = labels == label
        points, values = np.argwhere(mask), image[mask]
        n = len(points)
        centre = points.mean(axis=0)
        low, high = points.min(axis=0), points.max(axis=0) + 1
        ring, noise = ring_statistics(image, mask, labels)
        row = {
            "label": label,
            "centroid_y_px": centre[0],
            "centroid_x_px": centre[1],
            "bbox_y0_px": low[0],
            "bbox_x0_px": low[1],
            "bbox_y1_px": high[0],
            "bbox_x1_px": high[1],
            "touches_border": bool((low == 0).any() or (high == mask.shape).any()),
            "area_px": n,
            "extent": n / np.prod(high - low),
            # The outside of the padded frame is one piece that is no hole.
            "euler_number": pieces(mask, EIGHT) - (pieces(~np.pad(mask, 1), FOUR) - 1),
            "intensity_sum": values.sum(),
            "intensity_mean": values.mean(),
            "intensity_max": values.max(),
            "intensity_min": values.min(),
            "intensity_std": values.std(),
            "local_background": ring,
            "local_background_std": noise,
            "intensity_total": values.sum() - n * ring,
            "snr": ratio(values.mean() - ring, noise),
            "saturated_fraction": np.nan if saturation is None else np.mean(values >= saturation),
        }
        weighted = (points * values[:, None]).sum(axis=0) / values.sum() if values.sum() != 0 else [np.nan, np.nan]
        row |= {"weighted_centroid_y_px": weighted[0], "weighted_centroid_x_px": weighted[1]}
        small = np.pad(mask[low[0] : high[0], low[1] : high[1]], 1)
        convex = hull_image(small).sum()
        for unit, area_unit, scale in (("px", "area_px", np.ones(2)), ("nm", "area_nm2", sampling)):
            if unit == "nm" and pixel_size_nm is None:
                continue
            pixel = np.prod(scale)
            d = (points - centre) * scale
            major, minor = np.sqrt(np.clip(np.linalg.eigvalsh(d.T @ d / n)[::-1], 0, None)) * 4
            longest, shortest = feret(small, scale)
            row |= {
                area_unit: n * pixel,
                f"equivalent_diameter_{unit}": np.sqrt(4 * n * pixel / np.pi),
                f"perimeter_{unit}": perimeter(small, scale),
                f"perimeter_crofton_{unit}": crofton(small, scale),
                f"convex_{area_unit}": convex * pixel,
                f"major_axis_{unit}": major,
                f"minor_axis_{unit}": minor,
                f"feret_max_{unit}": longest,
                f"feret_min_{unit}": shortest,
            }
        unit, area = ("px", n) if pixel_size_nm is None else ("nm", row["area_nm2"])
        major, minor = row[f"major_axis_{unit}"], row[f"minor_axis_{unit}"]
        row |= {
            "circularity": ratio(4 * np.pi * area, row[f"perimeter_{unit}"] ** 2),
            "circularity_crofton": ratio(4 * np.pi * area, row[f"perimeter_crofton_{unit}"] ** 2),
            "solidity": n / convex,
            "eccentricity": np.sqrt(1 - (minor / major) ** 2) if major > 0 else 0.0,
            "aspect_ratio": ratio(major, minor),
            "roundness": ratio(4 * area, np.pi * major**2),
        }
        row |= {f"hu_{i}": v for i, v in enumerate(hu(mask, centre, sampling), 1)}
        row |= {f"symmetry_{k}": symmetry(mask, centre, k, sampling) for k in (2, 3, 4, 6)}
        r = np.hypot(*((points - centre) * sampling).T)
        ring_of = np.minimum((r * radial_bins / (r.max() + sampling.max() / 2)).astype(int), radial_bins - 1)
        row["radial_profile"] = np.array(
            [values[ring_of == k].mean() - ring if (ring_of == k).any() else np.nan for k in range(radial_bins)]
        )
        rows.append(row)
    return rows
