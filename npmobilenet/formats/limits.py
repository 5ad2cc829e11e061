"""What a file may ask for. Real MobileNets stay far below; a file beyond is refused, not tried."""

MAX_TENSOR_BYTES = 2 << 30
"""Largest tensor, and largest sum of all tensors of a model."""

MAX_EXPANSION = 32
"""Bytes of tensors for each byte of file: compressed weights seldom shrink below half."""

MAX_TEXT_BYTES = 8 << 20
"""Longest configuration or attribute. That of a whole MobileNet has some 100 KiB; as objects it
takes up to 30 times as much memory."""

MAX_ALL_TEXT_BYTES = 4 * MAX_TEXT_BYTES
"""Most text of all attributes and names of an HDF5 file together."""

MAX_ALIASED_BYTES = 256 << 20
"""Most bytes that the strings of one HDF5 attribute could take if each were the longest in the
file, as they may all be the same one. 260 names beside 140 KiB of configuration: 36 MiB."""

MAX_NAME = 1024
"""Longest name of a layer or a class; names are joined with those of the models around."""

MAX_OPERANDS = 1024
"""Most tensors and numbers that one layer is called with."""

MAX_VALUES = 1 << 31
"""Most values that a layer gives for one image. The largest map of a MobileNet has 2 million."""

MAX_PARTS = 256
"""Most numbered attributes that one list of names is spread over, of 64 KiB each."""

MAX_OBJECTS = 20_000
"""Most groups and datasets in an HDF5 file, layers in a configuration, nodes in a graph. V2 with
its optimizer has some 2,000."""

MAX_DEPTH = 16
"""Deepest nesting of groups in a file, or of models in a model."""

MAX_CHUNKS = 1 << 17
"""Most chunks of all tensors that are read from an HDF5 file."""

MAX_HEADER_BYTES = 64 << 20
"""Most bytes of object headers that HDF5 reads from a file, those read again counted again. Each
lookup goes through one."""

MAX_HEAP_OBJECTS = 10 * MAX_OBJECTS
"""Most strings of variable length in an HDF5 file."""

MAX_HEAP_BYTES = 4 << 30
"""Most bytes of heaps that HDF5 reads from a file: it may read a whole heap for each string."""

MAX_FILE_BYTES = 4 << 30
"""Largest HDF5 file, which is looked through once before HDF5 opens it."""

MAX_GRAPH_BYTES = 40 << 20
"""Largest frozen graph. V2 1.4, the largest that was published, has 24 MiB."""

MAX_MEMBER_BYTES = 2 << 30
"""Largest member of a ``.keras`` archive once unpacked."""

MAX_DIRECTORY_BYTES = 1 << 20
"""Largest list of members of an archive: room for some 10,000, where Keras writes three."""
