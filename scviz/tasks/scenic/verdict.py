"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from scviz.metrics.evidence import LEVEL, Outcome, counted
from scviz.tasks.scenic import WORDS, Check, Found, Method, Pruned
from scviz.tasks.scenic.judging import WORTHWHILE, Judged

KIND = {
    "motif": "each with a motif of its regulator",
    "prior": "each with known targets of its regulator",
    "none": "from co-expression alone",
}
BY_CHANCE = "That could be chance, so single links should not be trusted."


def verdict_of(
    method: Method, judged: Judged, regulons: Sequence[Found], *, pruned: Pruned, checked_by: str
) -> tuple[Outcome, str]:
    """Say what was found, and whether it is more than co-expression and than chance."""
    lead = f"{counted(len(regulons), 'regulon')}, {KIND[pruned]}"
    if not judged.checks:
        told = "Nothing here says which links are true: give a prior network (TF - target) to check them."
        return "unknown", f"{lead}. {told}"
    n_beyond = sum(one.fdr <= LEVEL for one in regulons)
    hold = "holds" if n_beyond == 1 else "hold"
    lead += f"; {n_beyond} {hold} more known targets than random genes would (false discovery rate 5 %). "
    own = judged.checks[method].place
    chance = (
        f"Checked by {checked_by}: the links by {WORDS[method]} are {own.words} when known targets are exchanged at "
        "random. "
    )
    if judged.gain is None:
        outcome, told = _beside_chance(judged.checks[method], density=judged.n_known / judged.n_candidates)
        return outcome, f"{lead}{chance}{told}"
    if own.p > LEVEL:
        return "unknown", f"{lead}{chance}{BY_CHANCE}"
    return judged.gain.outcome, f"{lead}{chance}{judged.gain.sentence}"


def _beside_chance(own: Check, *, density: float) -> tuple[Outcome, str]:
    """Judge plain correlation, which has no method to be compared with, by chance alone."""
    found = f"{own.auprc_ratio:.2f} times as many known links as a random ranking"
    if own.place.p <= LEVEL:
        return (
            "better",
            f"They find {found}, more than by chance. Plain correlation is the baseline of the other methods.",
        )
    seen = own.place.high / density  # of exchanged targets 97.5 % lie below
    if seen < 1 + WORTHWHILE:
        return "none", f"{BY_CHANCE} They find {found}; {seen:.2f} times as many would have been seen."
    return "unknown", f"{BY_CHANCE} They find {found}; only {seen:.2f} times as many would have been seen."
