"""Images of a specimen written out: one pixel, one wave, one patch, one atom at a time."""

import math

import numpy as np


def spline(u):
    """The cubic B-spline."""
    u = abs(u)
    return 2 / 3 - u**2 + u**3 / 2 if u < 1 else (2 - u) ** 3 / 6 if u < 2 else 0.0


def place(rows, columns, i, j):
    return rows[i][0] + columns[j][0], rows[i][1] + columns[j][1]


def specimen_image(rows, columns, film_mean, waves, holes, edge, patches, placed):
    out = np.zeros((len(rows), len(columns)))
    for i in range(len(rows)):
        for j in range(len(columns)):
            y, x = place(rows, columns, i, j)
            film = 1 + sum(a * math.cos(ky * y + kx * x + phase) for ky, kx, phase, a in waves)
            value = max(film, 0) * film_mean
            for hy, hx, radius in holes:
                t = min(max((math.hypot(y - hy, x - hx) - radius) / (2 * edge) + 0.5, 0), 1)
                value *= t * t * (3 - 2 * t)
            for patch, (cy, cx, spacing, level) in zip(patches, placed, strict=True):
                half = len(patch) // 2
                wy = [spline((y - cy) / spacing + half - a) for a in range(len(patch))]
                wx = [spline((x - cx) / spacing + half - b) for b in range(len(patch))]
                value += level * np.array(wy) @ patch @ np.array(wx)
            out[i, j] = value
    return out


def specimen_labels(rows, columns, patches, placed):
    labels = np.zeros((len(rows), len(columns)), np.int32)
    for i in range(len(rows)):
        for j in range(len(columns)):
            y, x = place(rows, columns, i, j)
            largest = 0.0
            for k, (patch, (cy, cx, spacing, level)) in enumerate(zip(patches, placed, strict=True), start=1):
                half = len(patch) // 2
                wy = np.maximum(1 - np.abs((y - cy) / spacing + half - np.arange(len(patch))), 0)
                wx = np.maximum(1 - np.abs((x - cx) / spacing + half - np.arange(len(patch))), 0)
                value = wy @ patch @ wx
                if value > level and value > largest:
                    largest, labels[i, j] = value, k
    return labels


def deposit(points, weight, half, spacing):
    grid = (np.arange(2 * half + 1) - half) * spacing
    out = np.zeros((grid.size, grid.size))
    for y, x in points:
        out += weight * np.outer([spline((y - g) / spacing) for g in grid], [spline((x - g) / spacing) for g in grid])
    return out


MASK = 2**64 - 1


def _splitmix(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def stream(key, number):
    """xoshiro256++ with the state that splitmix64 makes of a key and a number."""
    _, mixed = _splitmix(key[0])
    _, mixed = _splitmix(mixed ^ key[1])
    mixed ^= (number * 0x9E3779B97F4A7C15) & MASK
    s = []
    for _ in range(4):
        mixed, word = _splitmix(mixed)
        s.append(word)

    def rotate(value, bits):
        return ((value << bits) | (value >> (64 - bits))) & MASK

    while True:
        yield (rotate((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)


def uniform(bits):
    return ((next(bits) >> 12) + 0.5) / 2**52


def poisson(bits, mean):
    if mean < 10:
        u, k = uniform(bits), 0
        cumulative = probability = math.exp(-mean)
        while u > cumulative and k < 64:
            k += 1
            probability *= mean / k
            cumulative += probability
        return k
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    while True:
        u, v = uniform(bits) - 0.5, uniform(bits)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2):
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / us**2 + b))
        if left <= k * math.log(mean) - mean - math.lgamma(k + 1):
            return k


def normal_pair(bits):
    while True:
        word = next(bits)
        u, v = (((part & 0xFFFFFFFF) + 0.5) / 2**31 - 1 for part in (word, word >> 32))
        square = u * u + v * v
        if square < 1:
            factor = math.sqrt(-2 * math.log(square) / square)
            return u * factor, v * factor


def detect(fraction, electrons, gain, offset, read_noise, key):
    out = np.zeros(fraction.shape, np.uint16)
    for i, row in enumerate(fraction):
        bits, spare = stream(key, i), []
        for j, value in enumerate(row):
            found = poisson(bits, float(value) * electrons)
            if read_noise > 0:
                spare = spare or list(normal_pair(bits))
                found += read_noise * spare.pop(0)
            out[i, j] = min(max(math.floor(offset + gain * found + 0.5), 0), 65535)
    return out
