"""measure: from frames and label images to particle tables, particle images and population figures."""

from nanospa.measure.measure import measure
from nanospa.measure.region_properties import region_properties

__all__ = ["measure", "region_properties"]
