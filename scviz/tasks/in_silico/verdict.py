"""What was found, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from scviz.tasks.in_silico import Effect, Kind, Request, Shift

VERBS = {
    "delete": "Removing",
    "knockdown": "Turning down",
    "overexpress": "Turning up",
    "inhibit": "Inhibiting",
    "activate": "Activating",
}
CLEAR = 0.05
NAMED = 5


def edit_in_words(kind: Kind, genes: Sequence[str]) -> str:
    """Name an edit.

    Examples
    --------
    >>> edit_in_words("delete", ("CD14", "LYZ"))
    'Removing CD14 and LYZ'
    """
    shown = list(genes) if len(genes) <= NAMED else [*genes[:NAMED], f"{len(genes) - NAMED} more"]
    names = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"{VERBS[kind]} {names}"


def of_one(request: Request, effect: Effect) -> str:
    """Judge one edit against its random genes."""
    words = edit_in_words(request.kind, effect.genes)
    if not effect.n_cells:
        return f"{words} changes none of the cells for the model: it reads the same tokens before and after."
    moved = effect.moved
    how = f"moves {effect.n_cells:,} cells by {_interval(moved)}"
    if not moved.n_random:
        return f"{words} {how}; there are no random genes to compare with."
    farther = moved.p <= CLEAR
    than = "farther than" if farther else "no farther than"
    text = f"{words} {how}, {than} random genes expressed alike ({_band(moved)}; p = {moved.p:.3f})."
    if effect.to_goal is None or request.goal is None:
        return text
    goal = effect.to_goal
    state = ", ".join(request.goal.values)
    if goal.p > CLEAR:
        return f"{text} It brings them no nearer to {state} than random genes do ({_interval(goal)}; {_band(goal)})."
    side = "nearer to" if goal.mean > (goal.random_low + goal.random_high) / 2 else "farther from"
    return f"{text} It brings them {side} {state} than random genes do ({_interval(goal)}; {_band(goal)})."


def of_sweep(request: Request, effects: Sequence[Effect]) -> str:
    """Judge a sweep by how many genes stand out after correction."""
    shown = [effect.to_goal or effect.moved for effect in effects]
    done = [shift for shift in shown if shift.mean == shift.mean]
    clear = [effect for effect, shift in zip(effects, shown, strict=True) if shift.fdr <= CLEAR]
    goal = f" towards {', '.join(request.goal.values)}" if request.goal else ""
    lead = f"{len(done):,} genes were edited, each by itself. "
    if not done:
        return lead + "None of them changes a cell for the model."
    if not clear:
        best = f"{effects[0].genes[0]} ({_interval(shown[0])}; {_band(shown[0])})"
        return (
            lead
            + f"None moves cells{goal} otherwise than random genes do, at a false discovery rate of 5 %. "
            f"The strongest is {best}."
        )
    names = ", ".join(effect.genes[0] for effect in clear[:NAMED])
    return (
        lead
        + f"{len(clear):,} move cells{goal} otherwise than random genes expressed alike, at a false discovery "
        f"rate of 5 %: {names}{' and others' if len(clear) > NAMED else ''}."
    )


def _interval(shift: Shift) -> str:
    return f"{shift.mean:.2g} (95 % interval {shift.low:.2g} to {shift.high:.2g})"


def _band(shift: Shift) -> str:
    return f"95 % of {shift.n_random} random ones: {shift.random_low:.2g} to {shift.random_high:.2g}"
