"""The chunks of a run in its state folder, which several processes may compute together.

`00012.npy` is chunk 12, finished. `00012.claim` says that a process computes it, and is touched after each batch.
At worst two processes compute the same chunk, and write the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

STALE_SECONDS = 120.0
"""How long a claim may lie untouched before another process takes it over: more than a batch takes."""
LOOK_SECONDS = 0.5
"""How often chunks that others compute are looked for."""


class Chunks:
    """What one process knows of the chunks of a run, and the one that it computes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._claimed: Path | None = None
        self._seen: dict[Path, tuple[int, float]] = {}

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Keep chunks in a folder of their own, which is made if need be."""
        folder.mkdir(exist_ok=True)
        return cls(folder)

    def clear_up(self) -> None:
        """Remove what processes of an earlier attempt have claimed or begun to write."""
        for path in [*self.folder.glob("*.claim"), *self.folder.glob("*.draft")]:
            path.unlink(missing_ok=True)

    def all_of(self, n_chunks: int) -> Iterator[int | None]:
        """Give the number of every chunk: when it is finished, or to be computed here; None while there is none."""
        waiting = list(range(n_chunks))
        while waiting:
            number = next((number for number in waiting if self._is_ready(number)), None)
            if number is None:
                time.sleep(LOOK_SECONDS)
            else:
                waiting.remove(number)
            yield number

    def unclaimed_of(self, n_chunks: int) -> Iterator[int]:
        """Give the numbers of the chunks that are to be computed here, and leave the others alone."""
        return (n for n in range(n_chunks) if not self._file(n).exists() and self._claim(n))

    def read(self, number: int) -> NDArray[np.floating] | None:
        """Read a chunk, (n, C); None when it is not finished."""
        try:
            values: NDArray[np.floating] = np.load(self._file(number))
        except FileNotFoundError:
            return None
        return values

    def write(self, number: int, values: NDArray[np.floating]) -> None:
        """Keep a finished chunk, (n, C), so that readers see all of it or nothing."""
        file = self._file(number)
        if not file.exists():
            draft = file.with_suffix(f".{os.urandom(4).hex()}.draft")
            with draft.open("wb") as stream:
                np.save(stream, values)
            draft.replace(file)
        self.give_back()

    def keep_claim(self) -> None:
        """Show the others that this process goes on with its chunk."""
        if self._claimed is not None:
            with suppress(FileNotFoundError):  # it was thought stale, and that chunk is finished by now
                os.utime(self._claimed)

    def give_back(self) -> None:
        """Claim nothing any more."""
        if self._claimed is not None:
            self._claimed.unlink(missing_ok=True)
            self._claimed = None

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npy"

    def _is_ready(self, number: int) -> bool:
        return self._file(number).exists() or self._claim(number)

    def _claim(self, number: int) -> bool:
        """Claim a chunk, unless another process computes it."""
        claim = self._file(number).with_suffix(".claim")
        if self._is_stale(claim):
            claim.unlink(missing_ok=True)
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            return False
        self._claimed = claim
        return True

    def _is_stale(self, claim: Path) -> bool:
        """Tell whether a claim has not changed for long, by the clock of this process: those of machines differ."""
        try:
            touched = claim.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if self._seen.get(claim, (0, 0.0))[0] != touched:
            self._seen[claim] = touched, time.monotonic()
        return time.monotonic() - self._seen[claim][1] > STALE_SECONDS
