"""Finds the figures of an example: nanospa's figures do not pass through pyplot, so the usual scraper does not see them."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

_SAVED = "_figures_already_saved"


def figures_of_example(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any], **_: Any) -> str:
    """Save the figures that a block of an example left in its variables; return the text that shows them."""
    variables = block_vars["example_globals"]
    saved = variables.setdefault(_SAVED, [])
    paths = []
    for value in list(variables.values()):
        for figure in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(figure, Figure) and not any(figure is other for other in saved):
                saved.append(figure)
                path = next(block_vars["image_path_iterator"])
                figure.savefig(path, dpi=110)
                paths.append(path)
    return figure_rst(paths, gallery_conf["src_dir"]) if paths else ""
