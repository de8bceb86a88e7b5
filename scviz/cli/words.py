"""Words that several commands share."""

from scviz.datasets.public_screens import PUBLIC_SCREENS
from scviz.datasets.simulated import PRESETS
from scviz.errors import RequestError
from scviz.tasks.filters import Filter

SPECIAL = (
    f'"demo", "simulated" or "simulated:PRESET:SEED" ({", ".join(PRESETS)}), or "public:NAME", which downloads a '
    f"published screen ({', '.join(PUBLIC_SCREENS)})"
)
FILE = f"path of a file, {SPECIAL}"
DATASET = f"id of an open dataset, a file, {SPECIAL}"


def cells_with(text: str) -> Filter:
    """Read COLUMN=VALUE[,VALUE].

    Raises
    ------
    RequestError
        If the text is not of this form.
    """
    column, sign, values = text.partition("=")
    if not (column and sign and values):
        raise RequestError(f"{text!r} names no cells.", hint="Write COLUMN=VALUE, or COLUMN=VALUE,VALUE.")
    return Filter(column=column, values=tuple(values.split(",")))
