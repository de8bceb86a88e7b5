"""Numbers that a page asks for each time it is drawn, and that take thousands of draws: they are found once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last answers to questions about arrays; of a question itself only a digest is kept.

    Parameters
    ----------
    most
        Answers that are kept; the one asked for longest ago goes first.

    Examples
    --------
    >>> kept = Remembered[float](10)
    >>> kept.answer((np.ones(3),), lambda: 1.0), kept.answer((np.ones(3),), lambda: 2.0)
    (1.0, 1.0)
    """

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._known: OrderedDict[bytes, T] = OrderedDict()

    def answer(self, question: object, find: Callable[[], T]) -> T:
        """Return what was found before, else find it.

        Parameters
        ----------
        question
            All that the answer follows from: arrays of any shape, texts, numbers, and dataclasses, mappings and
            sequences of them.
        find
            Called where nothing is known.
        """
        whole = blake2b(digest_size=20)
        for part in _parts(question):
            whole.update(part)
        key = whole.digest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = find()
        with self._lock:
            self._known[key] = found
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found


def _parts(value: object) -> Iterator[bytes]:
    """Give the bytes that tell a value from every other; what is no plain value is refused.

    Raises
    ------
    TypeError
        If a value is of another kind.
    """
    if isinstance(value, str | int | float | np.number | np.bool_ | None):
        yield f"{type(value).__name__} {value!r};".encode()
    elif isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape};".encode()
        yield from _parts(value.ravel().tolist()) if value.dtype.hasobject else [value.tobytes()]
    else:
        inner = _inner(value)
        yield f"{type(value).__qualname__} of {len(inner)} (".encode()
        for one in inner:
            yield from _parts(one)


def _inner(value: object) -> list[object]:
    """List the values within another one."""
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    if isinstance(value, Sequence):
        return list(value)
    if is_dataclass(value):
        return [getattr(value, one.name) for one in fields(value)]
    raise TypeError(f"Nothing is remembered about {type(value).__name__}.")
