"""Colours of clusters: one colour and one marker a cluster, the same in every figure and in the HTML report."""

from __future__ import annotations

#: Colour-blind-safe colours of Okabe and Ito (Color Universal Design, 2008), without black; ordered so that neighbours differ most.
CLUSTER_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#D55E00")
#: Particles in no cluster.
OUTLIER_COLOUR = "#9A9A9A"
#: Particles where nothing has been clustered.
PLAIN_COLOUR = "#0072B2"
#: Ink of lines that are no cluster: fits, limits.
INK = "#222222"
#: With more clusters than colours the marker changes, so that two clusters never look the same (up to 42 of them).
CLUSTER_MARKERS = ("o", "s", "^", "D", "v", "P")

#: What became of a tile of a survey, on grey pictures: blue, grey, vermilion, yellow.
TILE_COLOURS = {"imaged": "#56B4E9", "empty": "#9A9A9A", "skipped": "#D55E00", "not reached": "#F0E442"}
#: What came of a focus curve.
VERDICT_COLOURS = {"fitted": "#0072B2", "best_sample": "#009E73", "rolled_back": "#E69F00", "no_signal": "#D55E00"}
#: Markers of the same, for who sees no colours.
VERDICT_MARKERS = {"fitted": "o", "best_sample": "s", "rolled_back": "^", "no_signal": "X"}
#: Where the time of an image goes.
TIME_COLOURS = {
    "move": "#CC79A7",
    "focus": "#56B4E9",
    "survey": "#009E73",
    "exposure": "#0072B2",
    "overhead": "#C9CED6",
    "faults": "#D55E00",
}


def cluster_colour(cluster: int) -> str:
    """Colour of a cluster.

    Parameters
    ----------
    cluster : int
        Cluster; negative = outlier.

    Returns
    -------
    str
        Hexadecimal RGB.

    Examples
    --------
    >>> from nanospa.report import cluster_colour
    >>> cluster_colour(0), cluster_colour(7), cluster_colour(-1)
    ('#E69F00', '#E69F00', '#9A9A9A')
    """
    return OUTLIER_COLOUR if cluster < 0 else CLUSTER_COLOURS[cluster % len(CLUSTER_COLOURS)]


def cluster_marker(cluster: int) -> str:
    """Marker of a cluster in scatter plots.

    Parameters
    ----------
    cluster : int
        Cluster; negative = outlier.

    Returns
    -------
    str
        matplotlib marker.

    Examples
    --------
    >>> from nanospa.report import cluster_marker
    >>> cluster_marker(0), cluster_marker(7), cluster_marker(-1)
    ('o', 's', 'o')
    """
    return "o" if cluster < 0 else CLUSTER_MARKERS[cluster // len(CLUSTER_COLOURS) % len(CLUSTER_MARKERS)]


def cluster_name(cluster: int) -> str:
    """What a cluster is called in legends.

    Parameters
    ----------
    cluster : int
        Cluster; negative = outlier.

    Returns
    -------
    str

    Examples
    --------
    >>> from nanospa.report import cluster_name
    >>> cluster_name(3), cluster_name(-1)
    ('cluster 3', 'outliers')
    """
    return "outliers" if cluster < 0 else f"cluster {cluster}"
