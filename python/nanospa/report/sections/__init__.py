"""Sections of the HTML report: each turns a view of a store into what the template shows."""

from nanospa.report.sections.acquisition import acquisition
from nanospa.report.sections.cards import cards
from nanospa.report.sections.clusters import clusters
from nanospa.report.sections.distributions import distributions
from nanospa.report.sections.frame_rows import frame_rows
from nanospa.report.sections.frames import frames
from nanospa.report.sections.notices import notices
from nanospa.report.sections.provenance import provenance
from nanospa.report.sections.reconstructions import reconstructions
from nanospa.report.sections.summary import summary

__all__ = [
    "acquisition",
    "cards",
    "clusters",
    "distributions",
    "frame_rows",
    "frames",
    "notices",
    "provenance",
    "reconstructions",
    "summary",
]
