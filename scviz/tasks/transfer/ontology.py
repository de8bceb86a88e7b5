"""Cell Ontology ids of the types of a reference, where they are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ID = re.compile(r"CL:\d{7}")
COLUMN = "cell_type_ontology_term_id"
"""As the CELLxGENE schema names it."""


def ids_of(types: Sequence[str], cells: pd.DataFrame, label_key: str) -> tuple[str, ...]:
    """Read the ids that the reference gives its types; '' where it gives none, or cells of a type have several.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"type": ["B", "B", "T"], COLUMN: ["CL:0000236", "CL:0000236", "unknown"]})
    >>> ids_of(["B", "T"], cells, "type")
    ('CL:0000236', '')
    """
    if COLUMN not in cells:
        return ("",) * len(types)
    found = cells[COLUMN].astype(str).groupby(cells[label_key].astype(str)).unique()
    own = {str(name): [str(one) for one in ids] for name, ids in found.items()}
    return tuple(
        own[name][0] if len(own.get(name, ())) == 1 and ID.fullmatch(own[name][0]) else "" for name in types
    )
