"""Blobs of a scale space, their outlines and measures, written out in numpy and scipy (float64); same constants as the kernel."""

import numpy as np
from scipy import ndimage

RAYS, ANGLES = 32, np.arange(32) * 2 * np.pi / 32
RADII = np.geomspace(0.6, 3.4, 22)


def gaussian(image, sigma):
    return ndimage.gaussian_filter(image, sigma, mode="reflect", truncate=4) if sigma > 0 else image


def scale_space(image, last):
    """{index: (step, smoothed samples)} and {index: response} for indexes -5 … last and 0 … last."""
    smooth, response = {}, {}
    now, step, blur = np.asarray(image, np.float64), 1, 0.0
    for index in range(-5, last + 1):
        sigma = 2 ** (index / 3)
        if sigma > 0.45:
            if sigma > 3 * step:
                now, step = now[::2, ::2], 2 * step
            now = gaussian(now, np.sqrt(sigma**2 - blur**2) / step)
            blur = sigma
        smooth[index] = (step, now)
        if index >= 0:
            wide = 2 ** ((index + 2) / 3)
            response[index] = now - gaussian(now, np.sqrt(wide**2 - blur**2) / step)
    return smooth, response


def sample(level, y, x):
    step, values = level
    return ndimage.map_coordinates(values, [np.asarray(y) / step, np.asarray(x) / step], order=1, mode="nearest")


def block_means(values, side):
    rows = [values[i : i + side] for i in range(0, values.shape[0], side)]
    return np.array([[r[:, j : j + side].mean() for j in range(0, values.shape[1], side)] for r in rows])


def noise(response, sigma, step):
    """Function (y, x) in px -> local noise."""
    side = max(1, round(2 * sigma / step))
    size = np.abs(response)
    first = gaussian(block_means(size, side), 4)
    limit = 2 * np.kron(first, np.ones((side, side)))[: size.shape[0], : size.shape[1]]
    blocks = gaussian(block_means(np.minimum(size, limit), side), 3)

    def at(y, x):
        where = [[(v + 0.5) / (side * step) - 0.5] for v in (y, x)]
        local = ndimage.map_coordinates(blocks, where, order=1, mode="nearest")[0]
        return np.hypot(local, size.mean() / 2)

    return at


def trace(profile):
    """The closed ring of largest weighted descent, by trying every start (rays, radii) -> index per ray."""
    n = len(RADII)
    descent = np.full(profile.shape, -np.inf)
    descent[:, 2:-2] = profile[:, :-4] - profile[:, 4:]
    gain = np.where(descent > 0, descent * np.exp(-((np.log(RADII / 1.6) / 0.5) ** 2) / 2), descent)
    total, steps = gain[0], []
    for t in range(1, 2 * RAYS):
        options = np.stack([total, np.append(total[1:], -np.inf), np.append(-np.inf, total[:-1])])
        choice = options.argmax(0)
        steps.append(np.array([0, 1, -1])[choice])
        total = options.max(0) + gain[t % RAYS]
    k, path = int(total.argmax()), []
    for step in reversed([np.zeros(n, int), *steps]):
        path.append(k)
        k += step[k]
    path.reverse()
    ring = np.zeros(RAYS, int)
    for t in range(RAYS // 2, RAYS + RAYS // 2):
        ring[t % RAYS] = path[t]
    return ring, descent[np.arange(RAYS), ring]


def blobs(image, last):
    """{(sign, index, y, x): (measures by name, radii)}."""
    image = np.asarray(image, np.float64)
    smooth, response = scale_space(image, last)
    white = noise(response[0], 1.0, 1)
    out = {}
    for index in range(last + 1):
        sigma, (step, _), r = 2 ** (index / 3), smooth[index], response[index]
        local = noise(r, sigma, step)
        mean = np.abs(r).mean()
        median = max(np.sort(np.abs(r), None)[r.size // 2], 0.1 * mean)
        least = 1.6 * np.sqrt(2 * np.log(max(2.0, r.size * step**2 / sigma**2))) / sigma
        for sign in (1, -1):
            peaks = (sign * r == ndimage.maximum_filter(sign * r, 3, mode="constant", cval=-np.inf)) & (
                sign * r > 1e-5 * np.abs(image).max()
            )
            for i, j in zip(*np.nonzero(peaks), strict=True):
                y, x = i * step, j * step
                if sign * r[i, j] > least * white(y, x):
                    row, radii = describe(smooth, sign, index, y, x)
                    row |= {"response": sign * r[i, j], "noise_local": local(y, x), "noise_mean": mean, "noise_median": median}
                    out[sign, index, int(y), int(x)] = row, radii
    return out


def describe(smooth, sign, index, y, x):
    sigma = 2 ** (index / 3)
    length = sigma * RADII[None]
    profile = sign * sample(smooth[max(index - 5, -5)], y + length * np.sin(ANGLES)[:, None], x + length * np.cos(ANGLES)[:, None])
    ring, descent = trace(profile)
    ray = np.arange(RAYS)
    inside, outside = profile[ray, np.maximum(ring - 3, 0)], profile[ray, np.minimum(ring + 3, 21)]
    contrast = inside - outside
    radii = sigma * RADII[ring]
    fine = smooth[max(index - 5, 0) - 5]
    sharp = []
    for shift in (1 / 1.08, 1, 1.08):
        near, far = (
            sign * sample(fine, y + q * np.sin(ANGLES), x + q * np.cos(ANGLES)) for q in (radii * shift * 0.88, radii * shift * 1.12)
        )
        sharp.append(near - far)
    logs = np.log(radii)
    row = {
        "descent_mean": descent.mean(),
        "descent_p10": np.sort(descent)[3],
        "descent_p25": np.sort(descent)[8],
        "descent_median": np.sort(descent)[16],
        "descent_std": descent.std(),
        "contrast": contrast.mean(),
        "contrast_p10": np.sort(contrast)[3],
        "inside_std": inside.std(),
        "outside_std": outside.std(),
        "core_rise": profile[:, :2].mean() - inside.mean(),
        "fine_descent": np.max(sharp, 0).mean(),
        "roughness": np.abs(np.diff(np.append(logs, logs[0]))).mean(),
        "elongation": logs.std(),
    }
    return row, radii


def suppress(boxes, iou, contained):
    """Greedy, every pair looked at."""
    kept = []
    for i, a in enumerate(boxes):
        good = True
        for k in kept:
            b = boxes[k]
            h, w = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            if h > 0 and w > 0:
                areas = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
                good &= h * w <= iou * (sum(areas) - h * w) and h * w <= contained * min(areas)
        if good:
            kept.append(i)
    return kept


def paint(shape, centres, radii):
    """Each pixel to the star-shaped region it is deepest inside."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels, depth = np.zeros(shape, np.int32), np.ones(shape)
    for i, ((cy, cx), ring) in enumerate(zip(centres, radii, strict=True)):
        turn = np.arctan2(y - cy, x - cx) % (2 * np.pi)
        edge = np.interp(turn, np.arange(len(ring) + 1) * 2 * np.pi / len(ring), np.append(ring, ring[0]))
        relative = np.hypot(y - cy, x - cx) / edge
        inside = relative < depth
        labels[inside], depth[inside] = i + 1, relative[inside]
    return labels
