"""With which genes an accuracy was measured, and what that says of the cells that were named."""

from __future__ import annotations

from scviz.tasks.transfer import SHORT, FewerGenes, Fit, Result

NEARLY_ALL = 0.98
"""Share of the molecules from which missing genes need no warning."""


def measured_with(result: Result, method: str = "") -> str:
    """Say with which genes a method was judged on held-out cells, and what is known with as few as are here.

    A sentence or two; every accuracy of names by a reference stands beside it.
    """
    fit, name = result.fit, method or result.chosen
    return " ".join(filter(None, [_genes(fit, name), _fewer(result, name), _foreign(fit)]))


def _genes(fit: Fit, method: str) -> str:
    if method not in SHORT:
        return "That was measured with all genes of the reference's cells that the model reads."
    if fit.exact:
        return f"That was measured with the {fit.n_shared:,} genes that both have, and no others."
    if fit.n_shared == fit.n_reference:
        return f"That was measured with all {fit.n_reference:,} genes of the reference, and all of them are here."
    return (
        f"That was measured with all {fit.n_reference:,} genes of the reference, of which {fit.n_shared:,} are here, "
        f"with {share_read(fit)} of its molecules."
    )


def _fewer(result: Result, method: str) -> str:
    """Say what held-out cells lose with so few genes; empty where nothing is missing."""
    fit = result.fit
    if fit.exact or method not in SHORT or fit.read >= NEARLY_ALL:
        return ""
    known = next((one.fewer for one in result.methods if one.name == method), ())
    if not known:
        return f"With these it may be {'far ' * fit.is_thin}less; how much less was not measured."
    like = _like(known, fit)
    said = (
        f"With random genes that hold {100 * like.read:.0f} % of the molecules, {100 * like.accuracy:.0f} % of the "
        "same cells were named right"
    )
    return f"{said}; with as few as here it may be far less." if fit.read < like.read else f"{said}."


def _like(known: tuple[FewerGenes, ...], fit: Fit) -> FewerGenes:
    """Take the most genes that hold no more than those that are here, or else the fewest that were tried."""
    fits = [one for one in known if one.read <= fit.read]
    return max(fits, key=lambda one: one.read) if fits else min(known, key=lambda one: one.read)


def _foreign(fit: Fit) -> str:
    if fit.is_foreign:
        return "No cell that judged it is like these: how many of these it names right is not known."
    return ""


def share_read(fit: Fit) -> str:
    """Write the share of the molecules on shared genes; one that is not quite all as such."""
    if fit.n_shared < fit.n_reference and fit.read > 0.995:
        return "more than 99 %"
    return f"{100 * fit.read:.0f} %"
