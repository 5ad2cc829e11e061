"""Work and memory that one file may take, counted while it is read.

A limit on each size alone is no limit: what is small may be had a million times, and the same bytes
of a file may be pointed to from everywhere in it.
"""

from npmobilenet.errors import ModelFileError


class Budget:
    """An amount that is spent bit by bit.

    Parameters
    ----------
    what : str
        What is counted, for the message: ``"objects in the HDF5 file"``.
    limit : int
    """

    def __init__(self, what: str, limit: int) -> None:
        self.what = what
        self.limit = limit
        self.spent = 0

    def spend(self, amount: int = 1) -> None:
        """Count ``amount`` more.

        Raises
        ------
        ModelFileError
            If that is more than the limit.
        """
        self.spent += amount
        if self.spent > self.limit:
            raise ModelFileError(f"more than {self.limit} {self.what}")
