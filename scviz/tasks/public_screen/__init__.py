"""Download a published perturbation screen and open it as a dataset."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.datasets.public_screens import public_screen

TITLE = "Download a screen"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which screen."""

    screen: str
    """A key of `PUBLIC_SCREENS`."""

    def __post_init__(self) -> None:
        public_screen(self.screen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The dataset."""

    dataset: str
    """Its id in the workspace."""
