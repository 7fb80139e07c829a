"""What a reconstruction's verdict and flags mean, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

#: Verdicts: heading and what follows from it.
VERDICTS = {
    "confident": ("Confident", "the images clearly prefer this shape to its best rival"),
    "doubtful": ("Doubtful", "the images prefer this shape to its best rival, but not clearly, or the views are too few"),
    "not determined": (
        "Not determined",
        "its best rival fits the images as well, none is known, or a flag denies it: the shape may be wrong although it reprojects well",
    ),
    "sphere": ("Sphere", "the images look alike from all sides: orientations mean nothing, the radial profile does"),
    "under-determined": ("Under-determined", "there are too few images to tell a right shape from a wrong one"),
}
#: Why a group has no model, beside too few images.
REFUSALS = {"not tried": "the pixel size of its frames is unknown", "failed": "see the warnings"}
#: Colours of the same: green, amber, vermilion, blue, grey.
VERDICT_COLOURS = {
    "confident": "#00795A",
    "doubtful": "#A86A00",
    "not determined": "#B8460A",
    "sphere": "#0072B2",
    "under-determined": "#5A626B",
}
#: Flags and what they mean.
FLAGS = {
    "under_determined": "Fewer images than a shape can be determined from.",
    "mixed": "Part of the images do not fit this model: the group seems to hold particles of another shape.",
    "heterogeneous": "The particles differ from each other by more than noise: the model is their average.",
    "symmetry": "The symmetry assumed does not hold: the images fit better without it.",
    "biased_views": "The particles were seen from few directions: detail is missing along the others.",
    "cut_by_border": "Particles reach the border of their images: they may be cut off.",
}


def verdict_text(attributes: Mapping[str, Any]) -> str:
    """The verdict as a sentence with its margin.

    Parameters
    ----------
    attributes : mapping of str to object
        Attributes of a reconstruction: `verdict`, `margin`, `margin_z`, `n_images`.

    Returns
    -------
    str

    Examples
    --------
    >>> from nanospa.report.verdict_words import verdict_text
    >>> verdict_text({"verdict": "confident", "margin": 0.0061, "margin_z": 12.3})
    'Confident: the images clearly prefer this shape to its best rival (margin 0.0061 in mean correlation, z = 12.3).'
    """
    known = str(attributes.get("verdict", ""))
    heading, meaning = VERDICTS.get(known, (known.capitalize() or "No verdict", ""))
    text = f"{heading}: {meaning}" if meaning else heading
    margin, z = (_number(attributes.get(name)) for name in ("margin", "margin_z"))
    if np.isfinite(margin) and known not in ("sphere", "under-determined"):
        said = f"z = {z:.1f}" if np.isfinite(z) else "in every image" if z > 0 else "z unknown"
        text += f" (margin {margin:.4f} in mean correlation, {said})"
    return text + "."


def flag_texts(attributes: Mapping[str, Any]) -> list[str]:
    """The flags as sentences.

    Parameters
    ----------
    attributes : mapping of str to object
        Attributes of a reconstruction, with `flags`: a list of names, or one text with commas.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from nanospa.report.verdict_words import flag_texts
    >>> flag_texts({"flags": ["cut_by_border"]})
    ['Particles reach the border of their images: they may be cut off.']
    """
    flags = attributes.get("flags")
    names = flags.split(",") if isinstance(flags, str) else list(flags if flags is not None else [])
    return [FLAGS.get(name, name.replace("_", " ").capitalize() + ".") for name in (str(each).strip() for each in names) if name]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float, np.number)) else float("nan")
