"""Carry out what is asynchronous in a thread of its own: in that of a test with a browser, its driver's loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def carried_out(act: Coroutine[Any, Any, T]) -> T:
    """Wait for an answer."""
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(asyncio.run, act).result()
