"""The foundation models; a fifth one is a folder here and a word in MODELS."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from scviz.errors import UnknownModelError
from scviz.foundation.card import ModelCard

if TYPE_CHECKING:
    from scviz.foundation.model import FoundationModel

MODELS = ("scbert", "geneformer", "scgpt", "scfoundation")


def cards() -> Mapping[str, ModelCard]:
    """Return the card of every model, by name; imports no torch."""
    return {name: import_module(f"scviz.models.{name}").CARD for name in MODELS}


def model_class(name: str) -> type[FoundationModel]:
    """Return the class of a model; imports torch.

    Raises
    ------
    UnknownModelError
        If no model has this name.
    """
    if name not in MODELS:
        raise UnknownModelError(f"There is no model {name!r}.", hint=f"The models are: {', '.join(MODELS)}.")
    model: type[FoundationModel] = import_module(f"scviz.models.{name}.model").MODEL
    return model
