"""report: figures of a run and one HTML file that needs nothing else."""

from nanospa.report.cluster_gallery import cluster_gallery
from nanospa.report.distribution import distribution
from nanospa.report.figures import figures
from nanospa.report.focus_curves import focus_curves
from nanospa.report.focus_drift import focus_drift
from nanospa.report.frame_flags import frame_flags
from nanospa.report.frame_outlines import frame_outlines
from nanospa.report.image_times import image_times
from nanospa.report.palette import CLUSTER_COLOURS, OUTLIER_COLOUR, cluster_colour, cluster_marker, cluster_name
from nanospa.report.particle_card import particle_card
from nanospa.report.report import report
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.scan_plot import scan_plot
from nanospa.report.scatter import scatter
from nanospa.report.stage_map import stage_map

__all__ = [
    "CLUSTER_COLOURS",
    "OUTLIER_COLOUR",
    "bar_length_nm",
    "bar_text",
    "cluster_colour",
    "cluster_gallery",
    "cluster_marker",
    "cluster_name",
    "distribution",
    "figures",
    "focus_curves",
    "focus_drift",
    "frame_flags",
    "frame_outlines",
    "image_times",
    "particle_card",
    "report",
    "scan_plot",
    "scatter",
    "stage_map",
]
