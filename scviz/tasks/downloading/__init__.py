"""Fetch published weights and import them, once their license is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from scviz.errors import RequestError, UnknownModelError
from scviz.foundation.published import has_files
from scviz.models import MODELS, cards
from scviz.tasks.fields import Switch, check_fields
from scviz.tasks.intake import Taken

TITLE = "Download weights"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which published weights."""

    model: str
    released: str
    """Their name on the card of the model."""
    accepted_licence: Annotated[
        bool,
        Switch(
            "License accepted", help="Whether the user says what the card asks for (`ModelCard.agreement`)."
        ),
    ] = False
    beside: str = ""
    """A folder on the server with files that the repository lacks."""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.model not in MODELS:
            raise UnknownModelError(
                f"There is no model {self.model!r}.", hint=f"The models are: {', '.join(MODELS)}."
            )
        card = cards()[self.model]
        released = card.release(self.released)
        if not released.hub:
            raise RequestError(
                f"{self.released} can be downloaded by hand only.", hint=" ".join(released.steps)
            )
        if not self.accepted_licence:
            raise RequestError(
                f"{self.released} is downloaded only after you have said: {card.agreement}",
                hint=f"The license is at {card.source}. On the Models page there is a box to tick; on the "
                "command line it is --accept-license.",
            )
        if released.beside and not (self.beside and has_files(Path(self.beside), released.beside)):
            raise RequestError(
                f"{released.hub} lacks {', '.join(released.beside)}, and {self.beside or 'no folder'} has it.",
                hint=" ".join(released.steps),
            )


Result = Taken
