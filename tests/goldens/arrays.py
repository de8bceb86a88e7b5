"""Arrays of a golden case, with a list of those that have been compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Expected:
    """The outputs of a case; at the end, `all_compared` makes sure that none was forgotten."""

    def __init__(self, case: Path) -> None:
        self.arrays = load(case / "outputs.npz")
        self.compared: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def take(self, name: str) -> NDArray:
        """Return an array that the caller compares."""
        self.compared.add(name)
        return self.arrays[name]

    def close(self, name: str, ours: ArrayLike, *, atol: float, rtol: float = 0.0) -> None:
        """Compare with a tolerance."""
        np.testing.assert_allclose(np.asarray(ours), self.take(name), atol=atol, rtol=rtol, err_msg=name)

    def equal(self, name: str, ours: ArrayLike) -> None:
        """Compare exactly."""
        np.testing.assert_array_equal(np.asarray(ours), self.take(name), err_msg=name)

    def all_compared(self) -> None:
        """Fail if an output was not looked at."""
        assert self.compared == set(self.arrays), f"not compared: {sorted(set(self.arrays) - self.compared)}"


def load(path: Path) -> dict[str, NDArray]:
    """Read all arrays of a file."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}
