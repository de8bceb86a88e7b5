"""Whether donors of one name on both sides of a comparison are one donor, compared with itself, or two."""

from __future__ import annotations

from typing import Literal

from scviz.datasets.donor_names import numbered_anew
from scviz.metrics.evidence import counted
from scviz.tasks.fields import Choice

Same = Literal["by column", "same", "different"]
SAME: dict[str, str] = {
    "by column": "as the column is called",
    "same": "are the same donor",
    "different": "are different donors",
}
SAME_DONORS = Choice(
    "Equal names on both sides",
    SAME,
    help="The same donor on both sides is compared with itself, which finds more. As the column is called: donors, "
    "patients and other people are the same; samples, replicates and animals, which are often numbered anew, are not.",
)


def are_same(said: Same, column: str) -> bool:
    """Tell whether equal names in a column with donors are one donor."""
    return said == "same" or (said == "by column" and not numbered_anew(column))


def same_note(said: Same, column: str, *, n_both: int, paired: bool) -> tuple[str, ...]:
    """Say what equal names were taken for; nothing where no name is on both sides.

    Parameters
    ----------
    n_both
        Names that are on both sides.
    paired
        Whether they were compared with themselves.

    Examples
    --------
    >>> same_note("different", "donor", n_both=2, paired=False)
    ('2 names of donor are on both sides and were taken for different donors, as was chosen.',)
    """
    if not n_both:
        return ()
    names = f"{counted(n_both, 'name')} of {column} {'is' if n_both == 1 else 'are'} on both sides"
    if not are_same(said, column):
        if said == "different":
            return (f"{names} and were taken for different donors, as was chosen.",)
        return (
            f"{names} and were taken for different ones, since what {column} names is often numbered anew on each "
            "side. If they are the same, choose it (Equal names on both sides): each is then compared with itself, "
            "which finds more.",
        )
    if not paired:
        return (f"{names}, too few to compare with themselves: all are compared as if they were different.",)
    if said == "same":
        return (f"{names} and were taken for the same donors, as was chosen: each is compared with itself.",)
    return (
        f"{names} and were taken for the same donors: each is compared with itself. If donors are numbered anew on "
        "each side, so that they are others, choose it (Equal names on both sides).",
    )
