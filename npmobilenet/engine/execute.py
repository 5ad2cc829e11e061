"""The compiled program: runs a job, a table of operations over a batch, on any number of threads.

Work is cut into stages that follow each other and units that do not depend on each other. A thread
takes the units of a stage that are its own in order, then those at the end of others' queues, and
waits until all are finished. Who computes a unit makes no difference to its values. Nobody waits
for a thread that has not begun: where other threads come late or never, the caller does all by
itself.
"""

from npmobilenet.engine.operations import perform
from npmobilenet.engine.table import (
    BATCH,
    BULK,
    COUNTER_STEP,
    COUNTERS,
    NONE,
    OPERATIONS,
    QUEUES,
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
from npmobilenet.kernels.jit import entry, inlined
from npmobilenet.kernels.tile import (
    PAUSES,
    atomic_add,
    atomic_read,
    float32_at,
    int64_at,
    pause,
    rest,
)

# The mailbox, through which a caller and the helping threads of a process meet: how many callers
# claim it, the first of which has it; the address of its job; how many calls there were; how many
# helpers may know the address; seats that are left, and how many there were.
MAIL_CLAIMS, MAIL_JOB, MAIL_CALL, MAIL_ACTIVE, MAIL_SEATS, MAIL_WANTED = range(0, 96, 16)
MAIL_SIZE = 96

_FRONT = (1 << 32) - 1
_FROM_END = 32  # a queue's counter has the units taken from its end above those from its front

_PATIENCE = 200 * PAUSES  # after some 0.2 ms who waits yields the core at every look
_RESTS = 20_000  # after so many a helper, some 20 ms later, leaves the job to others
_IDLE = 2000 * PAUSES  # after some 2 ms without work a helper goes to sleep


@inlined
def take(counters, counter, units, own):
    """The number in its queue of the next unit, or NONE: the first for the owner, else the last."""
    taken = atomic_read(counters, counter)
    if (taken & _FRONT) + (taken >> _FROM_END) < units:
        taken = atomic_add(counters, counter, 1 if own else 1 << _FROM_END)
        front, back = taken & _FRONT, taken >> _FROM_END
        if front + back < units:
            return front if own else units - 1 - back
    return NONE


@inlined
def _work(address, thread):
    """Take part in a job: the caller to its end, a helper as long as there is something to do."""
    job = int64_at(address)
    counters = int64_at(job[COUNTERS])
    x, y = float32_at(job[X]), float32_at(job[Y])
    store, w = float32_at(job[STORE]), float32_at(job[WEIGHTS])
    scratch = job[SCRATCH] + thread * job[SCRATCH_SIZE]
    bulk, queues = job[BULK], job[QUEUES]
    single = (job[BATCH] - bulk) * job[OPERATIONS]
    for stage in range(1 + single + job[TAIL]):
        table, begin, image, slot = int64_at(job[TABLE]), 0, 0, job[SLOTS]
        if stage == 0:
            units = bulk
            table = int64_at(job[SERIAL_TABLE])
            slot += thread * job[SLOT_SIZE]
        else:
            begin = stage - 1
            if stage <= single:
                image = bulk + begin // job[OPERATIONS]
                begin %= job[OPERATIONS]
            else:
                begin += job[OPERATIONS] - single
            units = table[begin * WIDTH + UNITS]
        finished = stage * (1 + queues) * COUNTER_STEP
        done, next_one, visited = 0, NONE, 0
        while visited < queues:
            queue = (thread + visited) % queues
            first = queue * units // queues
            count = (queue + 1) * units // queues - first
            taken = take(counters, finished + (1 + queue) * COUNTER_STEP, count, visited == 0)
            if taken == NONE:
                visited += 1
                continue
            # In the bulk a unit is an image: all operations, with all of theirs.
            unit = first + taken
            end, part, parts = begin + 1, unit, unit + 1
            if stage == 0:
                end, image = job[SERIAL_OPERATIONS], unit
            for operation in range(begin, end):
                row = operation * WIDTH
                if stage == 0:
                    part, parts, next_one = 0, table[row + UNITS], NONE
                for piece in range(part, parts):
                    goes_on = piece == next_one
                    perform(table, row, piece, goes_on, image, slot, scratch, x, y, store, w)
                    next_one = piece + 1
            done += 1
        if done > 0:
            atomic_add(counters, finished, done)
        looks = 0
        while atomic_read(counters, finished) < units:
            pause()
            looks += 1
            if looks > _PATIENCE:
                if thread > 0 and looks > _PATIENCE + _RESTS:
                    return
                rest()


@entry
def enter(mail_address, address, number, seen):
    """Run the job at ``address``, or help with the jobs of others if it is 0.

    One entry for both, because each entry holds all kernels once more. Python may be interrupted
    between any two of its steps, so none of them is part of the life of a job: inside one call it
    is announced, run and withdrawn, and when the call returns no helper knows its address.

    Parameters
    ----------
    mail_address : int
        Of the process' mailbox, :data:`MAIL_SIZE` int64.
    address : int
        Of a job, an int64 array.
    number : int
        How many helpers a job may have; for a helper, its own number, from 1.
    seen : int
        For a helper, the last call that it has noticed.

    Returns
    -------
    int
        For a helper, the last call noticed: none has come for a while, or one that wants fewer.
    """
    mail = int64_at(mail_address)
    helps = address == 0
    thread, helped = 0, False
    if not helps and number > 0:
        # Whoever else claims the mailbox meanwhile works by himself.
        helped = atomic_add(mail, MAIL_CLAIMS, 1) == 0
        if helped:
            seats = min(number, int64_at(address)[QUEUES] - 1)  # as many as there is scratch for
            mail[MAIL_SEATS] = mail[MAIL_WANTED] = seats
            atomic_add(mail, MAIL_JOB, address)
            atomic_add(mail, MAIL_CALL, 1)
        else:
            atomic_add(mail, MAIL_CLAIMS, -1)
    while True:
        if helps:
            call = _next_call(mail, seen)
            if call == seen:
                return seen
            seen = call
            if atomic_read(mail, MAIL_WANTED) < number:
                return seen
            # In this order: who withdraws a job sees that a helper may have found its address.
            atomic_add(mail, MAIL_ACTIVE, 1)
            address = atomic_add(mail, MAIL_JOB, 0)
            if address != 0:
                thread = atomic_add(mail, MAIL_SEATS, -1)
        if address != 0 and (thread > 0 or not helps):
            _work(address, thread)
        if not helps:
            break
        atomic_add(mail, MAIL_ACTIVE, -1)
    if helped:
        atomic_add(mail, MAIL_JOB, -address)
        looks = 0
        while atomic_add(mail, MAIL_ACTIVE, 0) > 0:
            pause()
            looks += 1
            if looks > _PATIENCE:
                rest()
        atomic_add(mail, MAIL_CLAIMS, -1)
    return seen


@inlined
def _next_call(mail, seen):
    """The number of a call after ``seen``, or ``seen`` if none comes for a while."""
    looks = 0
    while looks < _IDLE:
        call = atomic_read(mail, MAIL_CALL)
        if call != seen:
            return call
        pause()
        looks += 1
    return seen
