"""Looking inside a trained network: its feature maps, its filters, its channels, its evidence."""

from npmobilenet.analysis.inside.channels import ChannelStatistics, channel_statistics
from npmobilenet.analysis.inside.checkpoint import (
    CheckpointReport,
    KernelHealth,
    TensorHealth,
    checkpoint_report,
)
from npmobilenet.analysis.inside.class_activation import (
    ClassActivationMap,
    class_activation_map,
    overlay,
)
from npmobilenet.analysis.inside.feature_maps import feature_maps
from npmobilenet.analysis.inside.filters import FilterSummary, filter_summaries, filters
from npmobilenet.analysis.inside.grid import image_grid
from npmobilenet.analysis.inside.ranges import channel_ranges

__all__ = [
    "ChannelStatistics",
    "CheckpointReport",
    "ClassActivationMap",
    "FilterSummary",
    "KernelHealth",
    "TensorHealth",
    "channel_ranges",
    "channel_statistics",
    "checkpoint_report",
    "class_activation_map",
    "feature_maps",
    "filter_summaries",
    "filters",
    "image_grid",
    "overlay",
]
