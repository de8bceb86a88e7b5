"""What was found, in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scviz.metrics.evidence import LEVEL, WORTHWHILE, Outcome, counted, ordinal, random_needed
from scviz.tasks.in_silico import FEWEST_CELLS, MOST_CELLS, Effect, Kind, Request, Ruler, Shift
from scviz.tasks.in_silico.statistics import FEWEST_RANDOM, Null

VERBS = {
    "delete": "Removing",
    "knockdown": "Turning down",
    "overexpress": "Turning up",
    "inhibit": "Inhibiting",
    "activate": "Activating",
}
NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a run found."""

    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the edits of a sweep were compared with."""

    null: Null
    n_tests: int
    """Edits that the correction runs over."""
    n_random: int
    n_drawable: int
    """Genes that random ones could be drawn from."""
    alone: float
    """How many times as far as usual a gene alone must move cells to be found; NaN where that cannot be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the comparison of one edit could have found, as shares of the distance or of the way to the goal."""

    bound: float
    """How far the edit moves cells at most: the end of its interval; NaN where there is none."""
    usual: float
    """What a random gene does, the median."""
    bar: float
    """Beyond it a move has p <= 0.05."""

    @property
    def more(self) -> float:
        """Give how much more than usual is found."""
        return abs(self.bar - self.usual)

    @property
    def rules_out(self) -> bool:
        """Whether a move worth having would have been found, or is larger than all that the edit can do."""
        return self.more < WORTHWHILE or self.bound < WORTHWHILE

    def needed(self, n_cells: int) -> int:
        """Give the cells of each random gene that it takes at least: what is chance falls with their root."""
        return math.ceil(n_cells * (self.more / WORTHWHILE) ** 2)


def reach_of_move(shift: Shift, ruler: Ruler) -> Reach:
    """Give what could have been found of how far cells move."""
    return Reach(
        bound=ruler.moved(shift.high),
        usual=ruler.moved(shift.random_middle),
        bar=ruler.moved(shift.random_high),
    )


def reach_to_goal(shift: Shift, ruler: Ruler) -> Reach:
    """Give what could have been found of how far cells come to a goal; either way counts."""
    return Reach(
        bound=max(abs(ruler.to_goal(shift.low)), abs(ruler.to_goal(shift.high))),
        usual=ruler.to_goal(shift.random_middle),
        bar=ruler.to_goal(shift.random_high),
    )


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


def percent(share: float) -> str:
    """Write a share with two digits and without powers of ten.

    Examples
    --------
    >>> percent(0.0432), percent(1.234), percent(0.00032), percent(0.00001)
    ('4.3 %', '123 %', '0.032 %', 'less than 0.01 %')
    """
    size = abs(100 * share)
    if 0 < size < 0.01:
        return "less than 0.01 %"
    digits = 0 if size >= 10 or not size else 1 if size >= 1 else 2 if size >= 0.1 else 3
    return f"{100 * share:.{digits}f} %"


def could_tell(shift: Shift, n_cells: int) -> bool:
    """Whether there are random genes and cells enough for any edit to be found."""
    return shift.n_random >= FEWEST_RANDOM and n_cells >= FEWEST_CELLS


def outcome_of(shift: Shift, reach: Reach, n_cells: int) -> Outcome:
    """Judge one edit: `none` only where a move worth having is ruled out, else `unknown`."""
    if not could_tell(shift, n_cells):
        return "unknown"
    if shift.p <= LEVEL:
        return "better"
    return "none" if reach.rules_out else "unknown"


def of_one(request: Request, effect: Effect, ruler: Ruler) -> Judgement:
    """Judge one edit by its place among its random genes; towards a goal where there is one."""
    words = edit_in_words(request.kind, effect.genes)
    if not effect.n_cells:
        return Judgement(
            outcome="none",
            sentence=f"{words} changes none of the cells for the model: it reads the same before and after.",
        )
    moved = effect.moved
    lead = (
        f"{words} moves {counted(effect.n_cells, 'cell')} by {percent(ruler.moved(moved.mean))} of "
        f"{ruler.words}"
        f"{_interval(ruler.moved(moved.low), ruler.moved(moved.high))}"
    )
    reach = reach_of_move(moved, ruler)
    outcome = outcome_of(moved, reach, effect.n_cells)
    sentence = f"{lead}{_beside(moved, effect.n_cells)}"
    if could_tell(moved, effect.n_cells) and outcome != "better":
        sentence += f" {_found_beyond(reach, _cells_of_random(request, effect))}"
    if effect.to_goal is None or request.goal is None or not could_tell(moved, effect.n_cells):
        return Judgement(outcome=outcome, sentence=sentence)
    goal = _of_goal(request, effect, effect.to_goal, ruler=ruler)
    return Judgement(outcome=goal.outcome, sentence=f"{sentence} {goal.sentence}")


def _of_goal(request: Request, effect: Effect, goal: Shift, *, ruler: Ruler) -> Judgement:
    """Judge whether one edit brings cells to a goal or away from it."""
    state = ", ".join(request.goal.values) if request.goal else ""
    share, reach = ruler.to_goal(goal.mean), reach_to_goal(goal, ruler)
    way = (
        f"{percent(abs(share))} of the way {'to' if share >= 0 else 'away from'} {state}; its distance from the middle "
        f"is the {_place(goal)}"
    )
    outcome = outcome_of(goal, reach, effect.n_cells)
    if outcome != "better":
        text = f"It brings them no nearer to {state} and no farther from it than random genes do: {way}."
        beyond = _found_beyond(reach, _cells_of_random(request, effect), goal=True)
        return Judgement(outcome=outcome, sentence=f"{text} {beyond}")
    side = "nearer to" if goal.mean > goal.random_middle else "farther from"
    return Judgement(outcome=outcome, sentence=f"It brings them {side} {state} than random genes do: {way}.")


def _cells_of_random(request: Request, effect: Effect) -> int:
    return min(request.random_cells, effect.n_cells)


def _found_beyond(reach: Reach, n_cells: int, *, goal: bool = False) -> str:
    """Say what would have been found, and what it takes where that is not enough."""
    least, usual, more = percent(WORTHWHILE), percent(reach.usual), percent(reach.more)
    found = f"More than {percent(reach.bar)} would have been found; {usual} is usual."
    if goal:
        found = f"{more} of the way more or less than the usual {usual} would have been found."
    if reach.more < WORTHWHILE:
        return found
    if reach.rules_out:
        return f"{found} That it does {least} at all is ruled out."
    needed = reach.needed(n_cells)
    cells = f"{needed:,}" if needed <= MOST_CELLS else f"more than {MOST_CELLS:,}"
    return (
        f"{found} Cannot tell whether it does {least} more than is usual: that takes at least {cells} cells of each "
        f"random gene, instead of {n_cells:,}."
    )


def of_sweep(request: Request, effects: Sequence[Effect], *, ruler: Ruler, compared: Compared) -> Judgement:
    """Judge a sweep by how many genes stand out after correction."""
    shown = {effect.genes[0]: effect.to_goal or effect.moved for effect in effects}
    n_done = sum(shift.mean == shift.mean for shift in shown.values())
    n_edited = f"{n_done:,} {'gene was' if n_done == 1 else 'genes were'} edited, each by itself"
    if not n_done:
        return Judgement(outcome="none", sentence=f"{n_edited}. None of them changes a cell for the model.")
    lead = f"{n_edited}; {_strongest(request, effects[0], ruler)}"
    than = f"{_towards(request)} otherwise than {_random_in_words(compared)} do"
    clear = [gene for gene, shift in shown.items() if shift.fdr <= LEVEL]
    if clear:
        return Judgement(outcome="better", sentence=f"{lead} {_which_move(clear, than)}")
    needed = _needed(compared)
    if needed:
        return Judgement(
            outcome="unknown", sentence=f"{lead} Cannot tell whether any moves cells{than}: {needed}"
        )
    text = f"None moves cells{than} (false discovery rate 5 %).{_would_be_found(compared)}"
    return Judgement(outcome="none", sentence=f"{lead} {text}")


def _which_move(genes: Sequence[str], than: str) -> str:
    names = f"{', '.join(genes[:NAMED])}{' and others' if len(genes) > NAMED else ''}"
    does = "moves" if len(genes) == 1 else "move"
    return f"{len(genes):,} {does} cells{than} (false discovery rate 5 %): {names}."


def _towards(request: Request) -> str:
    return f" towards {', '.join(request.goal.values)}" if request.goal else ""


def _random_in_words(compared: Compared) -> str:
    if compared.null == "all":
        return f"{compared.n_random:,} genes, with a correction over all {compared.n_tests:,},"
    return f"{compared.n_random:,} expression-matched random genes"


def _would_be_found(compared: Compared) -> str:
    """Say what the test could have found; nothing where that cannot be said."""
    if compared.alone != compared.alone:
        return ""
    return f" One gene that moves cells {compared.alone:,.2g} times as far as usual would have been found."


def _needed(compared: Compared) -> str:
    """Say what it would take to tell; nothing where the test could have told."""
    n, needed = compared.n_random, random_needed(compared.n_tests)
    if compared.null == "all":
        return f"it takes {FEWEST_RANDOM} or more to compare with." if n < FEWEST_RANDOM else ""
    if n >= needed:
        return ""
    if compared.n_drawable < needed:
        return (
            f"it would take {needed:,} random genes for one gene of {compared.n_tests:,} to pass, and there are "
            f"{compared.n_drawable:,} in these cells; edit fewer genes."
        )
    return f"it would take {needed:,} random genes for one gene of {compared.n_tests:,} to pass."


def _strongest(request: Request, effect: Effect, ruler: Ruler) -> str:
    gene, moved = effect.genes[0], ruler.moved(effect.moved.mean)
    if effect.to_goal is None or request.goal is None:
        return f"the farthest, {gene}, moves cells by {percent(moved)} of {ruler.words}."
    share = ruler.to_goal(effect.to_goal.mean)
    way = f"{percent(abs(share))} of the way {'to' if share >= 0 else 'away from'} {', '.join(request.goal.values)}"
    return f"the first, {gene}, brings cells {way}."


def _beside(shift: Shift, n_cells: int) -> str:
    """Compare one edit with its random genes, or say why that cannot tell."""
    if shift.n_random < FEWEST_RANDOM:
        return (
            f". Cannot tell whether that is larger than by chance: there are {shift.n_random} expression-matched "
            f"random genes, and it takes {FEWEST_RANDOM} or more."
        )
    if n_cells < FEWEST_CELLS:
        return f". Cannot tell more from so few cells: it takes {FEWEST_CELLS} or more."
    than = "larger than" if shift.p <= LEVEL else "not larger than"
    return f", {than} expression-matched random genes: {_place(shift)}."


def _place(shift: Shift) -> str:
    return f"{ordinal(shift.rank)} of {shift.n_random + 1:,}"


def _interval(low: float, high: float) -> str:
    return f" (95 % interval {percent(low)} to {percent(high)})" if low <= high else ""
