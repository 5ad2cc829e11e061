"""A plan: the table of operations for one input size, one batch size and one number of threads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine import table as t
from npmobilenet.engine.checking import checking
from npmobilenet.engine.columns import depthwise_shape
from npmobilenet.engine.drawing import ZEROS, Drawing
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.steps import (
    Convolution,
    Depthwise,
    Linear,
    Sample,
    Softmax,
    Step,
    reads_vectors_of_input,
    sample_shape,
)

_GAP = 16  # floats that belong to nobody, behind what each thread has for itself


@dataclass(frozen=True)
class Plan:
    """What a call needs besides weights; places in the store count floats."""

    table: NDArray[np.int64]
    serial: NDArray[np.int64]  # for one thread alone with an image
    steps: tuple[Step | None, ...]  # what each row of ``table`` ends; None for part of a step
    serial_steps: tuple[Step | None, ...]  # of ``serial``
    operations: int  # for each image; the rest are for the whole batch
    serial_operations: int
    bulk: int  # images that are done by one thread each
    scratch_size: int
    threads: int
    slots: int
    slot_size: int
    store_size: int
    kept: Mapping[Step, int]  # results that all images have in the store, one after another
    gap: int  # floats at the end of each scratch and slot that nobody uses, for who checks that

    def job(self) -> NDArray[np.int64]:
        """A job without its addresses."""
        job = np.zeros(t.JOB_SIZE, np.int64)
        job[t.TABLE], job[t.SERIAL_TABLE] = self.table.ctypes.data, self.serial.ctypes.data
        job[t.OPERATIONS], job[t.SERIAL_OPERATIONS] = self.operations, self.serial_operations
        job[t.TAIL], job[t.BULK] = len(self.table) - self.operations, self.bulk
        job[t.SCRATCH], job[t.SCRATCH_SIZE] = ZEROS, self.scratch_size
        job[t.QUEUES] = self.threads
        job[t.SLOTS], job[t.SLOT_SIZE] = self.slots, self.slot_size
        return job

    def counters(self, batch: int) -> int:
        """How many counters a job takes: of each stage one, and one for each thread's queue.

        One stage is for the bulk, and each operation is one for each of the other images.
        """
        stages = 1 + (batch - self.bulk) * self.operations + len(self.table) - self.operations
        return stages * (1 + self.threads)


class Planner:
    """Makes the plans of one network.

    Parameters
    ----------
    steps : list of Step
    places : mapping
        Where the weights of each layer lie.
    shapes : mapping of str to tuple
        The shape of a sample at every node, for the input size that is planned for.
    """

    def __init__(
        self,
        steps: list[Step],
        places: Mapping[Linear, Packed],
        shapes: Mapping[str, tuple[int, ...]],
        input_shape: tuple[int, ...],
    ) -> None:
        self._steps = steps
        self._places = places
        self._shapes: dict[Step | None, Sample] = {None: sample_shape(input_shape)}
        for step in steps:
            # By name only what is the result of a layer: the first part of one has its name too.
            self._shapes[step] = (
                depthwise_shape(step, self._shapes[step.source])
                if isinstance(step, Depthwise)
                else sample_shape(shapes[step.name])
            )
        self._split = self._tail_begin()

    def _tail_begin(self) -> int:
        """The first step of the tail.

        What follows global pooling has one pixel an image: the batch is multiplied as a matrix.
        """
        begin = len(self._steps)
        while begin > 0:
            step = self._steps[begin - 1]
            flat = self._shapes[step][:2] == (1, 1) == self._shapes[step.source][:2]
            dense = (
                isinstance(step, Convolution)
                and step.pointwise
                and not step.adds
                and not step.strassen
            )
            if not (flat and (dense or isinstance(step, Softmax))):
                break
            begin -= 1
        if reads_vectors_of_input(self._steps):  # each image's is copied
            readers = [i for i, step in enumerate(self._steps) if None in step.inputs]
            begin = max(begin, readers[-1] + 1)
        return begin

    def plan(self, batch: int, threads: int, *, keep: bool = False, chains: bool = True) -> Plan:
        """The plan for ``batch`` images on ``threads`` threads.

        With ``keep`` no memory is used twice, and every step's result is there in the end. Without
        ``chains`` each step is finished before the next begins.
        """
        # As many images as can be shared out evenly are each done by one thread.
        bulk = batch - batch % threads if batch > 1 else 0

        def draw(count: int) -> Drawing:
            return Drawing(
                self._steps,
                self._places,
                self._shapes,
                self._split,
                batch,
                count,
                keep=keep,
                chains=chains and not keep,
            )

        drawing = draw(threads)
        serial = draw(1) if bulk and threads > 1 else drawing
        gap = _GAP if checking() else 0
        scratch_size = max(drawing.scratch_size, serial.scratch_size) + gap
        slot_size = max(drawing.slot_size, serial.slot_size) + gap
        slots = ZEROS + threads * scratch_size
        shared = slots + slot_size * (threads if bulk else 1)
        return Plan(
            table=drawing.table(shared),
            serial=serial.table(shared),
            steps=drawing.steps,
            serial_steps=serial.steps,
            operations=drawing.operations,
            serial_operations=serial.operations,
            bulk=bulk,
            scratch_size=scratch_size,
            threads=threads,
            slots=slots,
            slot_size=slot_size,
            store_size=shared + drawing.shared_size,
            kept={step: shared + offset for step, offset in drawing.kept},
            gap=gap,
        )
