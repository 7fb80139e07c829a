"""Random numbers by key: equal keys alone share their numbers, and the numbers are spread as they should be."""

import itertools

import numpy as np
from nanospa.acquire.drivers.keyed import key, normal, seed_of, uniform


def test_equal_keys_and_no_others_are_equal():
    keys = [
        (),
        ("a", "b"),
        ("a|b",),
        ("a,b",),
        (("a", "b"),),
        ("1",),
        (1,),
        (1.0,),
        (1, 0),
        (10,),
        (True,),
        (np.nextafter(1.0, 2.0),),
        (-1.0,),
    ]
    assert len({key(*k) for k in keys}) == len(keys)
    assert key(0.0) == key(-0.0) and key(np.float64(0.1)) == key(0.1) and key((1.0, 2.0)) == key([1.0, 2.0])


def test_numbers_are_the_same_on_every_machine():
    assert key(7, "stage", 0.25) == "8563db8a3e0eaddc4fa7621859c97cb4"
    assert seed_of(7) < 2**64 and uniform(7, "drift") == uniform(7, "drift")


def test_spread():
    numbers = np.array([uniform(3, "x", i) for i in range(4000)])
    counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 43.8, "chi-square of 19 degrees of freedom, 99.9 %"
    normals = np.array([normal(2, 3, i, j) for i, j in itertools.product(range(50), range(50))])
    assert np.abs(normals.mean(axis=0)).max() < 0.07 and np.abs(normals.std(axis=0) - 1).max() < 0.05
    assert abs(np.corrcoef(normals[:-1, 0], normals[1:, 0])[0, 1]) < 0.06
