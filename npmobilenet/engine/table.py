"""The table that the compiled engine reads: a row for each operation, a column for each fact.

Places are three columns: the space (one of the arrays), the offset in floats, and the step from
image to image, which is ``LOCAL`` for what lies in the slot where an image is worked on.
Weights are three columns too: kernel, norm (shift and scale) and limits (lowest and
highest value) in the packed weights.
"""

(
    CONVOLUTION,
    PRODUCT,
    DENSE,
    DEPTHWISE,
    SEPARABLE,
    EXPAND,
    INVERTED,
    AVERAGE,
    LARGEST,
    SOFTMAX,
    COPY,
) = range(11)

MEMORY, INPUT, OUTPUT = range(3)
LOCAL = -1

KIND = 0
UNITS = 1  # pieces that threads can take
SOURCE = 2
OUT = 5
SKIP = 8  # the residual; its space is NONE where there is none
WINDOW = 11  # 13 columns, in the order of kernels.window.Window
TOTAL = 24  # output rows (of a product, pixels) in groups of GRAIN; with PARTS and SMALL a Share
STEP = 25  # output rows that an inverted residual computes at a time
RING = 26  # expanded rows that it keeps
BUFFER = 27  # where in the thread's scratch the first kind of intermediate lies
PLANES = 28  # and the second
PIXELS = 29
COLUMNS = 30  # output channels
BLOCK = 31  # output or expanded channels of a unit
DEPTH = 32  # input channels of a product
PACKED = 33  # depthwise channels in whole vectors
FIRST = 34  # weights of the expansion
MIDDLE = 37  # of the depthwise convolution
LAST = 40  # of the (pointwise) convolution
MULTIPLIER = 43  # above 1: how often depthwise reads each input channel
PARTS = 44
SMALL = 45
BEGIN = 46  # output rows before the first unit
HELD = 47  # rows that are kept of the source, of which the last are there: 0 for all
SUMS = 48  # where in the thread's scratch Strassen's sums begin: 0 for an ordinary product
GRAIN = 49
WIDTH = 50

NONE = -1

# The job: what one call consists of.
(
    TABLE,
    SERIAL_TABLE,
    OPERATIONS,
    SERIAL_OPERATIONS,
    TAIL,
    X,
    Y,
    STORE,
    WEIGHTS,
    COUNTERS,
    BATCH,
    BULK,
    SCRATCH,
    SCRATCH_SIZE,
    SLOTS,
    SLOT_SIZE,
    QUEUES,  # how many threads units are shared out to
) = range(17)
JOB_SIZE = 17

COUNTER_STEP = 8  # each counter lies on a cache line of its own
