"""Runs leave the processor to the pages: who looks at one must not wait because a model trains."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

QUICK_NICE, HEAVY_NICE = 5, 10
"""How far a process steps back that carries out any run, and one that trains or embeds; a page stays at 0."""
OWN_GROUP = Path("/proc/self/autogroup")
"""Where Linux shares the processor among sessions before it shares it within one."""
TRIES, PAUSE_SECONDS = 5, 0.11
"""The system takes such a wish ten times a second."""


def step_back(*, heavy: bool) -> None:
    """Let this process and all its threads compute with what others leave; it never comes forward again.

    A process that shares its group with others, such as a shell's, changes nothing for them.
    """
    wanted = HEAVY_NICE if heavy else QUICK_NICE
    if sys.platform == "win32":
        return
    alone = os.getpgrp() == os.getpid()
    who = os.PRIO_PGRP if alone else os.PRIO_PROCESS  # of the group: a priority belongs to a thread on Linux
    with suppress(OSError):
        if os.getpriority(who, 0) < wanted:
            os.setpriority(who, 0, wanted)
    if os.getsid(0) == os.getpid():
        _session_steps_back(wanted)


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
