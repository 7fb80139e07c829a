"""report: figures of a run and one HTML file that needs nothing else."""

from nanospa.report.cluster_gallery import cluster_gallery
from nanospa.report.distribution import distribution
from nanospa.report.export_reconstruction import export_reconstruction
from nanospa.report.figures import figures
from nanospa.report.figures_of_reconstruction import figures_of_reconstruction
from nanospa.report.focus_curves import focus_curves
from nanospa.report.focus_drift import focus_drift
from nanospa.report.frame_flags import frame_flags
from nanospa.report.frame_outlines import frame_outlines
from nanospa.report.fsc_curve import fsc_curve
from nanospa.report.image_correlations import image_correlations
from nanospa.report.image_times import image_times
from nanospa.report.isosurface import isosurface
from nanospa.report.model_gallery import model_gallery
from nanospa.report.orientation_map import orientation_map
from nanospa.report.palette import CLUSTER_COLOURS, OUTLIER_COLOUR, cluster_colour, cluster_marker, cluster_name
from nanospa.report.particle_card import particle_card
from nanospa.report.radial_density import radial_density
from nanospa.report.report import report
from nanospa.report.reprojections import reprojections
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.scan_plot import scan_plot
from nanospa.report.scatter import scatter
from nanospa.report.stage_map import stage_map
from nanospa.report.start_scores import start_scores
from nanospa.report.views import View, standard_views

__all__ = [
    "CLUSTER_COLOURS",
    "OUTLIER_COLOUR",
    "View",
    "bar_length_nm",
    "bar_text",
    "cluster_colour",
    "cluster_gallery",
    "cluster_marker",
    "cluster_name",
    "distribution",
    "export_reconstruction",
    "figures",
    "figures_of_reconstruction",
    "focus_curves",
    "focus_drift",
    "frame_flags",
    "frame_outlines",
    "fsc_curve",
    "image_correlations",
    "image_times",
    "isosurface",
    "model_gallery",
    "orientation_map",
    "particle_card",
    "radial_density",
    "report",
    "reprojections",
    "scan_plot",
    "scatter",
    "stage_map",
    "standard_views",
    "start_scores",
]
