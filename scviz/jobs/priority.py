"""Runs leave the processor to the pages: who looks at one must not wait because a model trains."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

QUICK_STEPS, HEAVY_STEPS = 2, 5
"""How far behind the server a process steps back that carries out any run, and one that trains or embeds; Linux gives
five steps a third of the time where both want it."""
LAST = 19
OWN_GROUP = Path("/proc/self/autogroup")
"""Where Linux shares the processor among sessions before it shares it within one."""
TRIES, PAUSE_SECONDS = 5, 0.11
"""The system takes such a wish ten times a second."""


def step_back(*, heavy: bool) -> None:
    """Let this process and all its threads compute with what others leave; it never comes forward again.

    A process that shares its group with others, such as a shell's, changes nothing for them.
    """
    if sys.platform == "win32":
        return
    steps = HEAVY_STEPS if heavy else QUICK_STEPS
    alone = os.getpgrp() == os.getpid()
    who = os.PRIO_PGRP if alone else os.PRIO_PROCESS  # of the group: a priority belongs to a thread on Linux
    wanted = min(LAST, _began() + steps)
    with suppress(OSError):
        if os.getpriority(who, 0) < wanted:
            os.setpriority(who, 0, wanted)
    if os.getsid(0) == os.getpid():
        _session_steps_back(steps)


@cache
def _began() -> int:
    """Return the priority that this process got from who started it."""
    return 0 if sys.platform == "win32" else os.getpriority(os.PRIO_PROCESS, 0)


def _session_steps_back(wanted: int) -> None:
    """Tell the share of the session, without which the priorities within it mean nothing to other sessions."""
    for _ in range(TRIES):
        try:
            if int(OWN_GROUP.read_text(encoding="ascii").split()[-1]) < wanted:
                OWN_GROUP.write_text(str(wanted), encoding="ascii")
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        except (OSError, ValueError, IndexError):  # no such groups, or it is not allowed
            return
        else:
            return
