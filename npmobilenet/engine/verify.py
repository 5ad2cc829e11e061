"""Follows a plan through memory, without computing: each operation must read what it should.

Memory is modelled as one label for each float, which says which pixel of which result lies there.
The operations of a job are followed in order: what each writes is labelled, and what each reads
must bear the right labels. So a place outside its buffer, a value that is read before it is
written, and one that is overwritten while somebody still needs it are all found, in rings of rows
and in memory that is used again too.

What operations read and write is worked out from the table and from the steps
(:mod:`npmobilenet.engine.footprint`), not from what :mod:`npmobilenet.engine.drawing` remembers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine import table as t
from npmobilenet.engine.footprint import OVER, Footprint, Need, Reader
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.plan import Plan
from npmobilenet.engine.results import PlanError, results_of
from npmobilenet.engine.steps import Linear, Step
from npmobilenet.kernels.host import LANES

_NOTHING = -1


@dataclass(frozen=True)
class Subject:
    """What a plan was made for.

    Parameters
    ----------
    steps : list of Step
    places : mapping
        Where the weights of each layer lie.
    weights : int
        Floats of all weights.
    shapes : mapping of str to tuple
        The shape of a sample at every node.
    input_shape : tuple of int
        Of a sample.
    batch : int
    """

    steps: list[Step]
    places: Mapping[Linear, Packed]
    weights: int
    shapes: Mapping[str, tuple[int, ...]]
    input_shape: tuple[int, ...]
    batch: int


def verify(plan: Plan, subject: Subject) -> None:
    """Follow a plan from the input to the output.

    Raises
    ------
    PlanError
        Naming the first operation that reads or writes what it should not.
    """
    _Run(plan, subject).follow()


class _Run:
    def __init__(self, plan: Plan, subject: Subject) -> None:
        self._plan, self._batch, self._last = plan, subject.batch, subject.steps[-1]
        self._results = results_of(subject.steps, subject.shapes, subject.input_shape)
        self._reader = Reader(
            subject.steps, subject.places, self._results, subject.weights, subject.batch
        )
        self._number = {who: number for number, who in enumerate(self._results)}
        self._pixels = max(result.pixels for result in self._results.values())
        sizes = {
            t.MEMORY: plan.store_size,
            t.INPUT: self._batch * self._results[None].size,
            t.OUTPUT: self._batch * self._results[self._last].size,
        }
        self._memory = {space: np.full(size, _NOTHING, np.int64) for space, size in sizes.items()}
        self._shared = plan.slots + plan.slot_size * (plan.threads if plan.bulk else 1)

    def follow(self) -> None:
        """Raise at the first fault."""
        self._regions()
        for image in range(self._batch):
            whole = Need(None, self._whole(t.INPUT, None), 0, self._results[None].pixels)
            self._write(whole, image, 0, "the caller")
        for operations, images, slot in self._order():
            for found in operations:
                for image in images:
                    self._operation(found, image, slot)
        for image in range(self._batch):
            places = {self._last: self._whole(t.OUTPUT, self._last)}
            for step, begin in self._plan.kept.items():
                places[step] = (t.MEMORY, begin, self._results[step].size)
            for step, place in places.items():
                need = Need(step, place, 0, self._results[step].pixels)
                self._read(need, image, 0, "the caller")

    def _whole(self, space: int, who: object) -> tuple[int, int, int]:
        return space, 0, self._results[who].size

    def _order(self) -> Iterator[tuple[list[Footprint], range, int]]:
        """Operations, the images that they are for one after the other, and the slot."""
        plan = self._plan
        serial = self._footprints(plan.serial, plan.serial_steps, range(plan.serial_operations))
        for image in range(plan.bulk):
            slot = plan.slots + image % plan.threads * plan.slot_size
            self._forget(slot)
            yield serial, range(image, image + 1), slot
        single = self._footprints(plan.table, plan.steps, range(plan.operations))
        for image in range(plan.bulk, self._batch):
            self._forget(plan.slots)
            yield single, range(image, image + 1), plan.slots
        rows = range(plan.operations, len(plan.table))
        tail = self._footprints(plan.table, plan.steps, rows, together=True)
        yield tail, range(self._batch), plan.slots

    def _footprints(
        self,
        table: NDArray[np.int64],
        ends: tuple[Step | None, ...],
        rows: range,
        *,
        together: bool = False,
    ) -> list[Footprint]:
        found = [self._reader.footprint(table, row, ends) for row in rows]
        for one in found:
            if self._batch > 1 and one.together != together:
                raise PlanError(
                    f"{one.what} is for {'all images' if one.together else 'one image'} at once"
                )
            if one.scratch > self._plan.scratch_size:
                raise PlanError(
                    f"{one.what} takes {one.scratch} floats of a scratch of "
                    f"{self._plan.scratch_size}"
                )
        self._once(found, {ends[row] for row in rows})
        return found

    def _once(self, found: list[Footprint], ended: set[Step | None]) -> None:
        """Each pixel is computed once, all of them where a step ends.

        Within a chain no step but the last does: rows that nobody wants are left out.
        """
        computed: dict[object, list[tuple[Need, str]]] = {}
        for one in found:
            for need in one.writes:
                computed.setdefault(need.who, []).append((need, one.what))
        for who, needs in computed.items():
            pixels, end = self._results[who].pixels, 0
            for need, what in needs:
                if need.first != end:
                    raise PlanError(f"{what} computes pixels from {need.first} on, not from {end}")
                end = need.last
            if end > pixels or (end < pixels and who in ended):
                raise PlanError(f"{needs[-1][1]} computes {end} pixels of {pixels}")

    def _regions(self) -> None:
        """Zeros, then the threads' scratch, then slots, then what images share."""
        plan = self._plan
        zeros = int(plan.job()[t.SCRATCH])
        stages = 1 + (self._batch - plan.bulk) * plan.operations
        stages += len(plan.table) - plan.operations
        if plan.threads < 1 or not 0 <= plan.bulk <= self._batch:
            raise PlanError(
                f"{plan.threads} threads, of {self._batch} images {plan.bulk} for one thread each"
            )
        for needed, there, what in (
            (2 * LANES, zeros, "the zeros"),
            (zeros + plan.threads * plan.scratch_size, plan.slots, "the scratch"),
            (self._shared, plan.store_size, "the slots"),
            (stages * (1 + plan.threads), plan.counters(self._batch), "the counters"),
        ):
            if needed > there:
                raise PlanError(f"{what} take up to {needed}, and there is room up to {there}")

    def _operation(self, found: Footprint, image: int, slot: int) -> None:
        taken = [self._read(need, image, slot, found.what) for need in found.reads]
        given = [self._write(need, image, slot, found.what) for need in found.writes]
        for space, begin, end in (part for parts in given for part in parts):
            for other, first, last in (part for parts in taken for part in parts):
                if space == other and first < end and begin < last:
                    raise PlanError(
                        f"{found.what} writes floats {begin} to {end} while it reads those from "
                        f"{first} to {last}"
                    )

    def _read(self, need: Need, image: int, slot: int, what: str) -> list[tuple[int, int, int]]:
        parts = []
        for first, last, begin, end in self._parts(need, image, slot, what):
            channels = self._results[need.who].channels
            found = self._memory[need.place[0]][begin:end].reshape(-1, channels)
            wrong = np.argwhere(found != self._labels(need.who, image, first, last)[:, None])
            if wrong.size:
                pixel, channel = wrong[0]
                raise PlanError(
                    f"{what} reads pixel {first + pixel} of {self._results[need.who].name!r} of "
                    f"image {image} and finds {self._described(int(found[pixel, channel]))}"
                )
            parts.append((need.place[0], begin, end))
        return parts

    def _write(self, need: Need, image: int, slot: int, what: str) -> list[tuple[int, int, int]]:
        parts = []
        for first, last, begin, end in self._parts(need, image, slot, what):
            labels = self._labels(need.who, image, first, last)
            channels = self._results[need.who].channels
            self._memory[need.place[0]][begin:end] = np.repeat(labels, channels)
            parts.append((need.place[0], begin, end))
        return parts

    def _parts(
        self, need: Need, image: int, slot: int, what: str
    ) -> Iterator[tuple[int, int, int, int]]:
        """Pixels and floats, each first and last, of what lies in one piece."""
        space, _, stride = need.place
        if space not in self._memory:
            raise PlanError(f"{what} names a space {space}, which there is none of")
        least, most = 0, self._memory[space].size
        if space == t.MEMORY:
            local = stride == t.LOCAL
            least = slot if local else self._shared
            most = slot + self._plan.slot_size if local else most
        result = self._results[need.who]
        for first, last, offset in need.pieces(result):
            begin = offset + (slot if stride == t.LOCAL else image * stride)
            end = begin + (last - first) * result.channels
            if begin < least or end + (OVER if need.vectors else 0) > most:
                raise PlanError(
                    f"{what} uses floats {begin} to {end}, with room from {least} to {most}"
                )
            yield first, last, begin, end

    def _labels(self, who: object, image: int, first: int, last: int) -> NDArray[np.int64]:
        return (self._number[who] * self._batch + image) * self._pixels + np.arange(first, last)

    def _forget(self, slot: int) -> None:
        """An image finds nothing of the one before."""
        self._memory[t.MEMORY][slot : slot + self._plan.slot_size] = _NOTHING

    def _described(self, label: int) -> str:
        if label == _NOTHING:
            return "nothing"
        rest, pixel = divmod(label, self._pixels)
        number, image = divmod(rest, self._batch)
        name = list(self._results.values())[number].name
        return f"pixel {pixel} of {name!r} of image {image}"
