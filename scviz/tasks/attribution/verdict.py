"""Whether the genes that a classifier goes by are those that tell its types, and whether it needs them."""

from __future__ import annotations

import numpy as np

from scviz.metrics.evidence import LEVEL, Interval, Outcome, bootstrap, counted
from scviz.tasks.attribution import Request, Result
from scviz.tasks.name_evidence import Said, Standing, by_deletion, by_ranking, more_than_chance

STANDINGS: tuple[Standing, Standing] = ("supports", "speaks against")
MOST_NAMED = 6
"""Types that a sentence names."""


def said_of(result: Result, k: int, *, n_deleted: int) -> tuple[Said, ...]:
    """Say what deletion and rankings say of the name of a type."""
    found = [by_deletion(float(result.drop[k, 0]), result.drop[k, 2:], n_genes=n_deleted)]
    if result.matched is not None and result.other_types is not None:
        others = np.delete(result.other_types[k], k)
        found.append(by_ranking(float(result.agreement[k]), result.matched[k], others))
    return tuple(found)


def outcome(result: Result, *, n_deleted: int) -> Outcome:
    """Judge: more types need their genes than would by chance, or it cannot be told."""
    needing = _standing(result, "supports", 0, n_deleted=n_deleted)
    return "better" if more_than_chance(len(needing), len(result.types)) else "unknown"


def verdict(result: Result, request: Request) -> str:
    """Conclude for which types the classifier needs its genes, and for which these are those that tell the type."""
    n, random = len(result.types), result.drop[:, 2:]
    needs = _named(result, STANDINGS[0], 0, n_deleted=request.n_deleted)
    tell = _named(result, STANDINGS[0], 1, n_deleted=request.n_deleted)
    gain = bootstrap(result.agreement - result.level_agreement)
    return (
        f"The classifier needs the genes that it goes by for {needs}, where by chance it would be {LEVEL * n:.1f}: on "
        f"{counted(sum(result.n_cells), 'held-out cell')} of {counted(n, 'type')}, half of which chose no gene and are "
        f"asked, the score falls by {result.drop[:, 0].mean():.2f} without the first "
        f"{counted(request.n_deleted, 'gene')}, by {result.drop[:, 1].mean():.2f} without the first by expression, and "
        f"by {random.mean():.2f} without expression-matched random ones.{_rest(result, request.n_deleted)} "
        f"The genes are those that tell the type by expression for {tell}: they rank so more than genes expressed as "
        f"much, and more than for any other type. {_level(gain, result)}"
    )


def _rest(result: Result, n_deleted: int) -> str:
    """Say of which types random genes matter as much, and of which it cannot be told; empty where all need theirs."""
    said = ""
    if _standing(result, "speaks against", 0, n_deleted=n_deleted):
        said += (
            f" For {_named(result, 'speaks against', 0, n_deleted=n_deleted)} random genes matter as much."
        )
    if _standing(result, "cannot tell", 0, n_deleted=n_deleted):
        said += f" Of {_named(result, 'cannot tell', 0, n_deleted=n_deleted)} it cannot be told."
    return said


def _level(gain: Interval, result: Result) -> str:
    """Say whether the rankings agree more than by how much a gene is expressed."""
    lead = (
        f"Over all types the two rankings agree by {np.nanmean(result.agreement):.2f} (rank correlation), how much a "
        f"gene is expressed alone reaches {np.nanmean(result.level_agreement):.2f}"
    )
    if not gain.known:
        return f"{lead}; too few types to tell the difference."
    span = f"difference {gain.mean:+.2f}, 95 % interval {gain.low:+.2f} to {gain.high:+.2f}"
    stands = "more" if gain.low > 0 else "less" if gain.high < 0 else "which is more cannot be told"
    return f"{lead}: {stands} ({span})."


def _standing(result: Result, standing: Standing, which: int, *, n_deleted: int) -> list[str]:
    """Name the types of which one kind of evidence says this."""
    said = {name: said_of(result, k, n_deleted=n_deleted) for k, name in enumerate(result.types)}
    return [name for name, one in said.items() if len(one) > which and one[which].standing == standing]


def _named(result: Result, standing: Standing, which: int, *, n_deleted: int) -> str:
    types, of = _standing(result, standing, which, n_deleted=n_deleted), counted(len(result.types), "type")
    shown = ", ".join(types[:MOST_NAMED]) + (", ..." if len(types) > MOST_NAMED else "")
    return f"{len(types)} of {of} ({shown})" if types else f"none of {of}"
