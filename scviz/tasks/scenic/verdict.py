"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from scviz.metrics.evidence import LEVEL, Outcome
from scviz.tasks.scenic import WORDS, Found, Method, Pruned
from scviz.tasks.scenic.judging import Judged

KIND = {
    "motif": "each with a motif of its regulator",
    "prior": "each with known targets of its regulator",
    "none": "from co-expression alone",
}


def verdict_of(
    method: Method, judged: Judged, regulons: Sequence[Found], *, pruned: Pruned, checked_by: str
) -> tuple[Outcome, str]:
    """Say what was found, and whether it is more than co-expression and than chance."""
    lead = f"{len(regulons)} {'regulon' if len(regulons) == 1 else 'regulons'}, {KIND[pruned]}"
    if not judged.checks:
        told = "Nothing here says which links are true: give a prior network (TF - target) to check them."
        return "unknown", f"{lead}. {told}"
    n_beyond = sum(one.fdr <= LEVEL for one in regulons)
    lead += f"; {n_beyond} hold more known targets than random genes would (false discovery rate 5 %). "
    own = judged.checks[method].place
    chance = (
        f"Checked by {checked_by}: the links by {WORDS[method]} are {own.words} when known targets are exchanged at "
        "random. "
    )
    if own.p > LEVEL:
        return "unknown", f"{lead}{chance}That could be chance, so single links should not be trusted."
    if judged.gain is None:
        return "none", f"{lead}{chance}Plain correlation is the baseline of the other methods."
    return judged.gain.outcome, f"{lead}{chance}{judged.gain.sentence}"
