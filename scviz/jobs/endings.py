"""How a run ended, in words: the one place that says that memory ran out."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scviz.errors import OutOfMemoryError, ScvizError
from scviz.memory import (
    FLOOR_GB,
    SMALL_FLOOR_GB,
    Room,
    is_near_limit,
    is_out_of_memory,
    killed_for_memory,
    says_out_of_memory,
)

if TYPE_CHECKING:
    from scviz.workspace.database import State

RESUME = "Press Resume to go on from where it was."
SEE_LOG = "The log of the run says more."
LESS_MEMORY = (
    "Take fewer cells or genes, a smaller batch size or a smaller model, "
    "or give runs more memory (SCVIZ_MEMORY_GB)."
)
TOO_LONG = (
    "A file that takes so long is damaged, or made to keep a server busy. Write it anew, or make it smaller."
)
TIME_IS_UP = 14
"""SIGALRM, which Windows lacks."""
END_OF_LOG = 20_000
"""Bytes of a log that may say why a process ended."""


def ended(state: State | Literal["paused"], message: str = "", hint: str = "") -> dict[str, Any]:
    """Return the changes that end a run."""
    return {"state": state, "message": message, "hint": hint, "ended": time.time()}


def refuse_too_little(allowed: Room, *, heavy: bool) -> None:
    """Refuse a run that cannot even begin.

    Parameters
    ----------
    heavy
        Whether it needs a model or a map.

    Raises
    ------
    OutOfMemoryError
        If there is less than the least that such a run needs.
    """
    floor = FLOOR_GB if heavy else SMALL_FLOOR_GB
    if allowed.gigabytes < floor:
        raise OutOfMemoryError(
            f"A run may use {allowed.gigabytes:.2f} GB of memory here: {allowed.why}. "
            f"Runs like this one need {floor:g} GB or more.",
            hint="End what else takes memory, or ask the owner of the server for more (SCVIZ_MEMORY_GB).",
        )


def needed_more(allowed: Room, detail: str = "") -> tuple[str, str]:
    """Return message and hint of a run for which memory ran out."""
    said = " ".join(detail.split())[:200]
    message = (
        f"Memory ran out: the run needed more than the {allowed.gigabytes:.1f} GB it may use ({allowed.why})."
    )
    return message + (f" ({said})" if said else ""), allowed.hint or LESS_MEMORY


def limit_time(seconds: int) -> None:
    """Have the system end this process after so long, whatever it is at; 0 takes that back."""
    if not hasattr(signal, "alarm") or threading.current_thread() is not threading.main_thread():
        return
    if seconds:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)


def error_in_words(error: Exception, allowed: Room) -> tuple[str, str]:
    """Return message and hint of a run that an error ended."""
    text = " ".join(str(error).split())
    if isinstance(error, OutOfMemoryError):
        return text, error.hint
    for one in _chain(error):
        if is_out_of_memory(one):
            return needed_more(allowed, str(one))
    if isinstance(error, ScvizError):
        return str(error), error.hint
    if is_near_limit(allowed.gigabytes):  # such as "SystemError: error return without exception set"
        return needed_more(allowed, f"{type(error).__name__}: {text}")
    return f"Something inside scviz went wrong: {type(error).__name__}: {text[:500]}", SEE_LOG


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and those from which it was raised."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


class Circumstances:
    """What a supervisor knows of a child besides its exit code.

    Parameters
    ----------
    allowed
        Memory that the run may use.
    log
        File that takes what libraries print; it may hold that of an earlier attempt already.
    """

    def __init__(self, allowed: Room, log: Path) -> None:
        self._allowed, self._log = allowed, log
        self._begins = log.stat().st_size if log.exists() else 0
        self._killed = killed_for_memory()

    def ending(self, code: int | None, *, stopped: bool) -> dict[str, Any]:
        """Say how a child ended that said nothing itself.

        Parameters
        ----------
        code
            Its exit code; None if it said no more and did not end by itself.
        stopped
            Whether it was told to stop.
        """
        if stopped:
            return ended("stopped")
        said = self._said()
        if says_out_of_memory(said):
            return ended("failed", *needed_more(self._allowed, _last_line(said)))
        if code == -TIME_IS_UP:
            return ended("failed", "It took longer than it may, and was ended.", TOO_LONG)
        if code == -signal.SIGKILL and killed_for_memory() > self._killed:
            return ended("failed", *needed_more(self._allowed, "the system ended the process, signal 9"))
        if code == -signal.SIGKILL:
            reason = "The worker process was ended by signal 9, most often because memory ran out."
            return ended("lost", reason, f"Free some memory or ask for less. {RESUME}")
        if code is None:
            return ended("lost", "The worker process said no more.", f"{SEE_LOG} {RESUME}")
        if code < 0:
            return ended("lost", f"The worker process was ended by signal {-code}.", f"{SEE_LOG} {RESUME}")
        return ended("failed", f"The worker process ended too early, with exit code {code}.", SEE_LOG)

    def _said(self) -> str:
        """Read the end of what this attempt has printed."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as file:
            file.seek(max(self._begins, self._log.stat().st_size - END_OF_LOG))
            return file.read().decode(errors="replace")


def _last_line(said: str) -> str:
    """Return the last line that says that memory ran out."""
    return next(line for line in reversed(said.splitlines()) if says_out_of_memory(line))
