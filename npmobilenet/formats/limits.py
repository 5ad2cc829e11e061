"""What a file may ask for. Real MobileNets stay far below; a file beyond is refused, not tried."""

MAX_TENSOR_BYTES = 2 << 30
"""Largest tensor, and largest sum of all tensors of a model."""

MAX_EXPANSION = 32
"""Bytes of tensors for each byte of file: compressed weights seldom shrink below half."""

MAX_TEXT_BYTES = 32 << 20
"""Longest configuration or attribute. A whole MobileNet's configuration takes 60 KiB."""

MAX_OBJECTS = 50_000
"""Most groups and datasets in an HDF5 file, layers in a configuration, nodes in a graph."""

MAX_DEPTH = 16
"""Deepest nesting of groups in a file, or of models in a model."""

MAX_CHUNKS = 1 << 16
"""Most chunks of one HDF5 dataset."""

MAX_GRAPH_BYTES = 48 << 20
"""Largest frozen graph: parsing takes a multiple of a hostile graph's size. V1 1.0 has 17 MiB."""

MAX_ARCHIVE_BYTES = 2 << 30
"""Largest member of a ``.keras`` archive once unpacked."""
