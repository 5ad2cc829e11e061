"""What one call consists of for the compiled engine: numbers, most of them addresses."""

import ctypes
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


class Placed:
    """Base of what holds addresses, which mean nothing in a copy or in another process."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds addresses in this process and can neither be copied nor "
            "pickled: copy or pickle the program or the model, and take it from there"
        )


@dataclass(frozen=True)
class Job(Placed):
    """A job, and all that lives as long as it does.

    Parameters
    ----------
    numbers : int64 array
        As :mod:`npmobilenet.engine.table` names them.
    counters : int64 array
    held : object
        Whatever else the numbers have the addresses of, input and output apart.
    """

    numbers: Numbers
    address: int  # of the numbers; asking NumPy for it takes longer than a small layer
    counters: Numbers
    held: object


def address_of(array: NDArray[Any]) -> int:
    """Where an array's data begin; ``array.ctypes`` takes four times as long to say so."""
    if array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    return array.ctypes.data
