"""The compiled program: runs a job, a table of operations over a batch, on any number of threads.

Work is cut into stages that follow each other and units that do not depend on each other. A thread
takes the next unit of a stage until there is none, then waits until all are finished. Who computes
a unit makes no difference to its values. Nobody waits for a thread that has not begun: where
other threads come late or never, the caller does all by itself.
"""

from npmobilenet.engine.operations import perform
from npmobilenet.engine.table import (
    BATCH,
    BULK,
    COUNTER_STEP,
    COUNTERS,
    OPERATIONS,
    SCRATCH,
    SCRATCH_SIZE,
    SERIAL_OPERATIONS,
    SERIAL_TABLE,
    SLOT_SIZE,
    SLOTS,
    STORE,
    TABLE,
    TAIL,
    UNITS,
    WEIGHTS,
    WIDTH,
    X,
    Y,
)
from npmobilenet.kernels.jit import entry, jit
from npmobilenet.kernels.memory import atomic_add, atomic_read, float32_at, int64_at

FINISHED = -1

# The mailbox, through which a caller and the helping threads of a process meet.
MAIL_JOB, MAIL_CALL, MAIL_ACTIVE, MAIL_SEATS = 0, 16, 32, 48
MAIL_SIZE = 64

_PATIENCE = 20_000  # looks at a counter, some 0.2 ms, before a waiting caller yields its core
_IDLE = 100_000  # looks, some 1 ms, before a helper without work goes to sleep


@jit
def _image(table, job, image, slot, scratch, x, y, store, w):
    """All operations for one image, by this thread alone."""
    for operation in range(job[SERIAL_OPERATIONS]):
        row = operation * WIDTH
        for unit in range(table[row + UNITS]):
            perform(table, row, unit, image, slot, scratch, x, y, store, w)


@jit
def _work(address, thread, first, patience):
    """Take part in a job from stage ``first``; the stage that has to be waited for, or FINISHED."""
    job = int64_at(address)
    table, serial = int64_at(job[TABLE]), int64_at(job[SERIAL_TABLE])
    counters = int64_at(job[COUNTERS])
    x, y = float32_at(job[X]), float32_at(job[Y])
    store, w = float32_at(job[STORE]), float32_at(job[WEIGHTS])
    scratch = job[SCRATCH] + thread * job[SCRATCH_SIZE]
    operations, bulk = job[OPERATIONS], job[BULK]
    single = (job[BATCH] - bulk) * operations
    for stage in range(first, 1 + single + job[TAIL]):
        row, image, slot = 0, 0, job[SLOTS]
        if stage == 0:
            units = bulk
            slot += thread * job[SLOT_SIZE]
        elif stage <= single:
            image = bulk + (stage - 1) // operations
            row = (stage - 1) % operations * WIDTH
            units = table[row + UNITS]
        else:
            row = (operations + stage - 1 - single) * WIDTH
            units = table[row + UNITS]
        counter = stage * COUNTER_STEP
        while True:
            unit = atomic_add(counters, counter, 1)
            if unit >= units:
                break
            if stage == 0:
                _image(serial, job, unit, slot, scratch, x, y, store, w)
            else:
                perform(table, row, unit, image, slot, scratch, x, y, store, w)
            atomic_add(counters, counter + COUNTER_STEP // 2, 1)
        looks = 0
        while atomic_read(counters, counter + COUNTER_STEP // 2) < units:
            looks += 1
            if looks > patience:
                return stage
    return FINISHED


@entry
def enter(mail, address, seats, mark):
    """Run the job at ``address``, or help with the jobs of others if it is 0.

    One entry for both, because each entry holds all kernels once more.

    Parameters
    ----------
    mail : array of int64
        The process' mailbox, :data:`MAIL_SIZE` long.
    address : int
        Of a job, an int64 array.
    seats : int
        How many helpers the job has room for.
    mark : int
        The stage to begin with; for a helper, the last call that it has noticed.

    Returns
    -------
    int
        FINISHED, or a stage at which a helper keeps the caller waiting: enter again with it after
        a pause. For a helper, the last call noticed; it returns when none has come for a while.
    """
    if address == 0:
        return _serve(mail, mark)
    if seats > 0 and mark == 0:
        mail[MAIL_SEATS] = seats
        atomic_add(mail, MAIL_JOB, address - mail[MAIL_JOB])
        atomic_add(mail, MAIL_CALL, 1)
    mark = _work(address, 0, mark, _PATIENCE)
    if seats > 0 and mark == FINISHED:
        atomic_add(mail, MAIL_JOB, -address)
        while atomic_add(mail, MAIL_ACTIVE, 0) > 0:
            pass  # a helper may still look at the counters of this job
    return mark


@jit
def _serve(mail, seen):
    looks = 0
    while looks < _IDLE:
        call = atomic_read(mail, MAIL_CALL)
        if call == seen:
            looks += 1
            continue
        seen, looks = call, 0
        atomic_add(mail, MAIL_ACTIVE, 1)
        address = atomic_add(mail, MAIL_JOB, 0)
        if address != 0:
            seat = atomic_add(mail, MAIL_SEATS, -1)
            if seat > 0:
                _work(address, seat, 0, 100 * _PATIENCE)
        atomic_add(mail, MAIL_ACTIVE, -1)
    return seen
