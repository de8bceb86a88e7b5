"""Take a folder of published or own weights into the workspace, checked tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError

TITLE = "Add weights"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which folder, and what to call it."""

    model: str
    folder: str
    """A folder on the server, in the layout its authors publish or in ours."""
    name: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise RequestError("The weights need a name.", hint="Type one, such as the folder's.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where the weights are now, and what was found in the folder."""

    checkpoint: str
    """Id in the workspace."""
    n_parameters: int
    n_genes: int
    loaded: tuple[str, ...]
    """Names of the tensors that were read."""
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    """Tensors in the folder that the model has no place for."""
