"""What can go wrong between a client and the server, beside a bad picture."""

from npmobilenet.errors import NpMobileNetError


class BusyError(NpMobileNetError):
    """Too many requests are waiting already, or an answer took too long; later it may work."""


class RequestError(NpMobileNetError, ValueError):
    """A request cannot be understood or asks for what there is not.

    Parameters
    ----------
    status : int
        HTTP status, 4xx.
    message : str
    problems : list of (place, message)
        One for each field that is wrong.
    """

    def __init__(
        self, status: int, message: str, problems: list[tuple[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problems = problems or []
