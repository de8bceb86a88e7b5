"""A clock that processes have instead of the machine's, and that is set while they are at work."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class NoClockError(Exception):
    """Here no process can be given another clock."""


class WrongClock:
    """The clock of every process that is started with its variables, and of those that these start.

    Parameters
    ----------
    folder
        Takes two small files.

    Raises
    ------
    NoClockError
        If this is no Linux machine with a C compiler.
    """

    def __init__(self, folder: Path) -> None:
        self._moved, library = folder / "moved", folder / "clock.so"
        self.set(0)
        call = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
        try:
            subprocess.run(call, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoClockError("there is no C compiler") from error
        self.env = {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(self._moved)}

    def set(self, seconds: int) -> None:
        """Move it from the machine's, at once for all that have it."""
        if not self._moved.exists():
            self._moved.write_bytes(bytes(8))
        with self._moved.open("r+b") as file:  # in place: they look into this very file
            file.write(struct.pack("q", seconds))
