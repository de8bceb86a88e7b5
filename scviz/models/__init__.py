"""The foundation models; a fifth one is a folder here and a word in MODELS."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from scviz.errors import RequestError, UnknownModelError
from scviz.foundation.card import ModelCard, ReleasedCheckpoint

if TYPE_CHECKING:
    from scviz.foundation.model import FoundationModel

MODELS = ("scbert", "geneformer", "scgpt", "scfoundation")


def cards() -> Mapping[str, ModelCard]:
    """Return the card of every model, by name; imports no torch."""
    return {name: import_module(f"scviz.models.{name}").CARD for name in MODELS}


def released_as(name: str) -> tuple[ModelCard, ReleasedCheckpoint]:
    """Find published weights by their name, in capitals or not.

    Raises
    ------
    RequestError
        If nobody publishes any of that name.

    Examples
    --------
    >>> released_as("geneformer-v1-10m")[1].name
    'Geneformer-V1-10M'
    """
    every = [(card, released) for card in cards().values() for released in card.released]
    for card, released in every:
        if released.name.lower() == name.strip().lower():
            return card, released
    names = ", ".join(released.name for _, released in every)
    raise RequestError(f"There are no published weights {name!r}.", hint=f"There are: {names}.")


def configurations(name: str) -> Mapping[str, str]:
    """Return the named configurations of a model, small ones first, and the size of each; imports no torch.

    Examples
    --------
    >>> configurations("geneformer")["v1-10m"]
    '6 layers of width 256'
    """
    shapes = import_module(f"scviz.models.{_known(name)}.config").SHAPES
    built = {shape: make(1) for shape, make in shapes.items()}  # the dataset says how many genes there are
    return {shape: f"{config.n_layers} layers of width {config.width}" for shape, config in built.items()}


def model_class(name: str) -> type[FoundationModel]:
    """Return the class of a model; imports torch.

    Raises
    ------
    UnknownModelError
        If no model has this name.
    """
    model: type[FoundationModel] = import_module(f"scviz.models.{_known(name)}.model").MODEL
    return model


def _known(name: str) -> str:
    """Return a name that is one of a model."""
    if name not in MODELS:
        raise UnknownModelError(f"There is no model {name!r}.", hint=f"The models are: {', '.join(MODELS)}.")
    return name
