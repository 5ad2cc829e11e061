"""A property that is computed once, without a lock.

``functools.cached_property`` holds one for all instances until Python 3.12: a process that is
forked while another thread computes would wait for that thread for ever. Here two threads may
compute the same value, and one of the two is kept.
"""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  -- used as a decorator, as property is
    """As ``functools.cached_property``: the value is kept under the method's name."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value = self._compute(instance)
        return vars(instance).setdefault(self._name, value)  # type: ignore[no-any-return]
