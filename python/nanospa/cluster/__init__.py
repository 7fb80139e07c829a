"""cluster: groups of particles with similar properties, from a particle table to one label a particle (−1 = outlier)."""

from nanospa.cluster.best import Best, best
from nanospa.cluster.cluster import cluster
from nanospa.cluster.features import ALL_FEATURES, AUTO_FEATURES, AUTO_LOG, PAPER_FEATURES, column, feature_matrix
from nanospa.cluster.methods import METHODS
from nanospa.cluster.population_clusters import Clustering, cluster_with_report
from nanospa.cluster.quality import quality
from nanospa.cluster.scan import scan
from nanospa.cluster.settings import PRESETS, ClusterSettings
from nanospa.cluster.split_contrast import mixed, split_contrast
from nanospa.cluster.validity import validity

__all__ = [
    "ALL_FEATURES",
    "AUTO_FEATURES",
    "AUTO_LOG",
    "METHODS",
    "PAPER_FEATURES",
    "PRESETS",
    "Best",
    "ClusterSettings",
    "Clustering",
    "best",
    "cluster",
    "cluster_with_report",
    "column",
    "feature_matrix",
    "mixed",
    "quality",
    "scan",
    "split_contrast",
    "validity",
]
