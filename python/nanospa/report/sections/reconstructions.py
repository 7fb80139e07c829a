"""Reconstructions: every model on one scale, and for each its views, numbers, verdict and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import data_uri, encoded
from nanospa.report.figures_of_reconstruction import figures_of_reconstruction
from nanospa.report.fsc_curve import falls_below
from nanospa.report.isosurface import RIM, surface_of
from nanospa.report.model_gallery import MOST_MODELS, gallery_pictures, model_colour, model_name
from nanospa.report.quantity import text
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.verdict_words import REFUSALS, VERDICT_COLOURS, VERDICTS, flag_texts, verdict_text
from nanospa.report.views import standard_views, turntable

if TYPE_CHECKING:
    from nanospa.report.run_view import RunView

#: Sides of a view and of a picture of the turntable [px], and pictures of a turn.
_VIEW_PX, _TURN_PX, _TURN = 480, 300, 24
#: Quality of their JPEGs: no blocks on smooth shading.
_QUALITY = 88
#: Attributes with a resolution, and the correlation it is at.
_RESOLUTIONS = (("resolution_nm", 0.143), ("resolution_05_nm", 0.5))
#: Models that can be turned; the pictures of a turn take 100 kB each.
MOST_TURNED = 12


def reconstructions(view: RunView) -> dict[str, Any] | None:
    """What the template shows of the reconstructions.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict or None
        ``gallery`` (name, verdict, picture), ``models``, ``refused``, ``caption``; None without reconstructions.
    """
    made = view.reconstructions()
    refused = _refused(view, made)
    if not made and not refused:
        return None
    shown = dict(list(made.items())[:MOST_MODELS])
    pictures, width_nm = gallery_pictures(shown)
    gallery = [
        {"id": name, "name": model_name(name), "uri": _jpeg(picture), **_verdict(shown[name].attrs)} for name, picture in pictures.items()
    ]
    models = [_model(name, one, turned=i < MOST_TURNED) for i, (name, one) in enumerate(shown.items())]
    caption = f"{len(made)} model{'s' if len(made) != 1 else ''}, on one scale"
    if len(made) > len(shown):
        caption += f"; {len(shown)} are shown, the store has all"
    return {"gallery": gallery, "bar": _bar(width_nm), "models": models, "refused": refused, "caption": caption}


def _model(name: str, made: Any, *, turned: bool) -> dict[str, Any]:
    attributes = made.attrs
    colour = model_colour(name, attributes)
    level = attributes.get("level")
    surface = surface_of(made["volume"].values, None if level is None else float(level))
    half_width = (1 + RIM) * surface.radius
    sphere = attributes.get("verdict") == "sphere"
    views = standard_views(str(attributes.get("symmetry", "C1")))
    if sphere:
        views = views[-1:]
    shown: dict[str, Any] = {"half_width": half_width, "colour": colour}
    pictures = [{"name": one.name, "uri": _jpeg(surface.picture(one.rotation, size_px=_VIEW_PX, **shown))} for one in views]
    strip = None
    if turned and not sphere:
        # A volume turns about z: the axis of highest order.
        turn = [surface.picture(rotation, size_px=_TURN_PX, **shown) for rotation in turntable(_TURN)]
        strip = {"uri": _jpeg(np.concatenate(turn, axis=1)), "n": _TURN}
    size = float(attributes.get("pixel_size_nm") or np.nan)
    return {
        "id": name,
        "name": model_name(name),
        "colour": colour,
        "said": verdict_text(attributes),
        **_verdict(attributes),
        "flags": flag_texts(attributes),
        "sphere": sphere,
        "views": pictures,
        "bar": _bar(2 * half_width * size) if np.isfinite(size) else None,
        "turn": strip,
        "facts": _facts(made),
        "has_truth": any(truth for _, _, truth in _facts(made)),
        "figures": [{"name": key, "caption": caption, "uri": data_uri(figure)} for key, caption, figure in figures_of_reconstruction(made)],
    }


def _facts(made: Any) -> list[tuple[str, str, str]]:
    """Name, value and truth."""
    said = made.attrs

    def number(name: str) -> float:
        value = said.get(name)
        return float(value) if isinstance(value, (int, float, np.number)) else float("nan")

    n = int(said.get("n_images", made.sizes.get("image", 0)))
    kept = int(np.asarray(made["kept"].values, bool).sum()) if "kept" in made else n
    volume, area, mean = number("volume_nm3"), number("area_nm2"), number("mean_volume_nm3")
    # The model has the mean size of its particles, not their mean volume; the truth is a mean of volumes.
    known = np.isfinite(mean)
    true = _or_empty(number("truth_volume_nm3"))
    true_diameter = _or_empty((6 * number("truth_volume_nm3") / np.pi) ** (1 / 3))
    rows = [
        ("images", text(n) if kept == n else f"{n:,} ({kept:,} used)", ""),
        ("symmetry assumed", str(said.get("symmetry", "–")), ""),
        ("shape", "", _true_shape(said)),
        ("resolution at FSC 0.143 · 0.5 [nm]", " · ".join(_resolution(made, number(k), at) for k, at in _RESOLUTIONS), ""),
        ("mean correlation with the reprojections", f"{number('mean_correlation'):.3f}", ""),
        ("variance explained beyond noise [%]", f"{100 * number('explained'):.1f}", ""),
        ("volume of the model [nm³]", text(volume), "" if known else true),
        ("mean volume of the particles [nm³]", text(mean) if known else "", true),
        ("diameter of the ball of that volume [nm]", text((6 * (mean if known else volume) / np.pi) ** (1 / 3)), true_diameter),
        ("surface area [nm²]", text(area), ""),
        ("surface over volume [1/nm]", text(area / volume) if volume > 0 else "–", ""),
        ("sphericity", f"{number('sphericity'):.3f}", ""),
        ("voxel [nm] · box", f"{number('pixel_size_nm'):.3g} · {made['volume'].sizes['z']}³", ""),
    ]
    # A row whose numbers are all unknown says nothing.
    said_of = [(name, value.replace("nan", "–"), truth) for name, value, truth in rows]
    return [row for row in said_of if row[1].replace("·", "").replace("–", "").strip() or row[2]]


def _refused(view: RunView, made: dict[str, Any]) -> list[dict[str, str]]:
    """Groups without a model, and why."""
    table = view.reconstruction_table
    if table is None or "cluster" not in table or "verdict" not in table:
        return []
    there = {int(one.attrs["cluster"]) for one in made.values() if "cluster" in one.attrs}
    there |= {int(last) for name in made if (last := name.rpartition("_")[2]).isdigit()}
    rows = []
    for i, cluster in enumerate(np.asarray(table["cluster"].values, int)):
        if int(cluster) not in there:
            verdict = str(table["verdict"].values[i])
            n = int(table["n_images"].values[i]) if "n_images" in table else None
            if table["name"].values[i] if "name" in table else False:
                rows.append({"name": f"cluster {cluster}", "said": "its volume is not in the store"})
                continue
            why = REFUSALS.get(verdict) or VERDICTS.get(verdict, ("", ""))[1]
            of = "" if n is None else f", {n} image{'s' if n != 1 else ''}"
            rows.append({"name": f"cluster {cluster}{of}", "said": f"{verdict}: {why}" if verdict and why else verdict or why})
    return rows


def _verdict(attributes: Any) -> dict[str, str]:
    verdict = str(attributes.get("verdict", ""))
    return {"verdict": VERDICTS.get(verdict, (verdict.capitalize(), ""))[0], "verdict_colour": VERDICT_COLOURS.get(verdict, "#5A626B")}


def _resolution(made: Any, size: float, threshold: float) -> str:
    """A resolution, marked where the pixels end before the halves differ."""
    return f"{'' if falls_below(made, threshold) or not np.isfinite(size) else '≤ '}{size:.2f}"


def _true_shape(attributes: Any) -> str:
    shape, share = str(attributes.get("truth_shape") or "").replace("_", " "), attributes.get("truth_share")
    if not shape or not isinstance(share, (int, float, np.number)) or not np.isfinite(share):
        return shape
    return f"{shape} ({100 * share:.0f} %)"


def _or_empty(value: float) -> str:
    return text(value) if np.isfinite(value) else ""


def _bar(width_nm: float) -> dict[str, Any]:
    length = bar_length_nm(width_nm)
    return {"percent": 100 * length / width_nm, "text": bar_text(length)}


def _jpeg(picture: NDArray[np.uint8]) -> str:
    """RGBA on white paper as a data URI."""
    import io

    from PIL import Image

    opacity = picture[..., 3:].astype(np.float32) / 255
    paper = np.round(picture[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    buffer = io.BytesIO()
    # Without chroma subsampling: coloured edges stay sharp.
    Image.fromarray(paper).save(buffer, format="JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return encoded(buffer.getvalue(), "image/jpeg")
