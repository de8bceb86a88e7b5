"""Words that several commands share."""

from scviz.datasets.public_screens import PUBLIC_SCREENS
from scviz.datasets.simulated import PRESETS

SPECIAL = (
    f'"demo", "simulated" or "simulated:PRESET:SEED" ({", ".join(PRESETS)}), or "public:NAME", which downloads a '
    f"published screen ({', '.join(PUBLIC_SCREENS)})"
)
FILE = f"path of a file, {SPECIAL}"
DATASET = f"id of an open dataset, a file, {SPECIAL}"
