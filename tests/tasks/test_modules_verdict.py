"""What is said where no module passes: nothing that the test of all of them could not have seen."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from scviz.metrics.coherence import Coherence, coherence, correlations, lasting_share
from scviz.metrics.evidence import Outcome, bar_of, place_of, random_needed
from scviz.tasks.modules import EXPRESSION, Judged, Request
from scviz.tasks.modules.judging import Judgement
from scviz.tasks.modules.verdict import outcome, verdict

N_MODULES = 20
REQUEST = Request(dataset="d")


def judgement(*means: float, widest: float) -> Judgement:
    """Judge modules by 399 random sets whose mean correlations lie from one side of 0 to the other, evenly."""
    random = np.linspace(-widest, widest, random_needed(N_MODULES))
    held = tuple(
        Coherence(
            n_genes=10, mean=mean, random=0.0, spread=float(random.std()), place=place_of(mean, random),
            bar=bar_of(random, N_MODULES),
        )
        for mean in means
    )  # fmt: skip
    nan = float("nan")
    own = Judged(n_compared=400, held=held, precision=nan, recall=nan, agreement=1.0)
    return Judgement(methods={EXPRESSION: own}, gains={}, by_cell={}, chance=nan, beside=(), n_held_out=100)


def test_a_module_that_did_not_pass_is_not_said_to_have_been_seen() -> None:
    one = judgement(0.0197, *[0.0] * 19, widest=0.0199)
    own = one.methods[EXPRESSION]
    assert own.held[0].place.p == pytest.approx(0.01)
    assert own.held[0].place.high < 0.0197  # above 97.5 % of its random sets, which is not enough among 20
    assert (own.n_beyond, outcome(one)) == (0, "none")
    # was 0.019, less than the module had
    assert "in any of them a mean correlation 0.020 above theirs would have been seen" in verdict(
        REQUEST, one, ()
    )
    assert judgement(0.02, *[0.0] * 19, widest=0.0199).methods[EXPRESSION].n_beyond == 1


@pytest.mark.parametrize(("widest", "expected"), [(0.049, "none"), (0.051, "unknown"), (0.1, "unknown")])
def test_none_is_said_where_a_module_worth_having_would_have_passed(widest: float, expected: Outcome) -> None:
    one = judgement(*[0.0] * N_MODULES, widest=widest)
    assert outcome(one) == expected
    assert one.methods[EXPRESSION].held[0].place.high < 0.05 or widest == 0.1  # which was asked before
    told = f"About {round(100 * (widest / 0.05) ** 2)} such cells would show 0.05."
    assert (told in verdict(REQUEST, one, ())) == (expected == "unknown")


def test_the_module_that_is_hardest_to_see_says_what_would_have_been_seen() -> None:
    easy, hard = judgement(*[0.0] * 19, widest=0.02), judgement(0.0, widest=0.08)
    own = Judged(
        n_compared=400, held=easy.methods[EXPRESSION].held + hard.methods[EXPRESSION].held,
        precision=float("nan"), recall=float("nan"), agreement=1.0,
    )  # fmt: skip
    both = Judgement(
        methods={EXPRESSION: own}, gains={}, by_cell={}, chance=float("nan"), beside=(), n_held_out=100
    )
    assert outcome(both) == "unknown"
    assert "only a mean correlation 0.080 above theirs" in verdict(REQUEST, both, ())


def test_a_module_without_random_genes_leaves_the_answer_open() -> None:
    some = judgement(*[0.0] * 19, widest=0.02).methods[EXPRESSION]
    nan = float("nan")
    alone = Coherence(n_genes=200, mean=0.3, random=nan, spread=nan, place=place_of(0.3, []))
    own = replace(some, held=(*some.held, alone))
    both = replace(judgement(widest=0.02), methods={EXPRESSION: own})
    assert outcome(both) == "unknown"  # was "none"
    assert "too few other genes to compare all with" in verdict(REQUEST, both, ())


@pytest.mark.parametrize(("strength", "lasts"), [(0.0, False), (0.5, True)])
def test_more_cells_are_asked_for_only_where_they_would_do(strength: float, *, lasts: bool) -> None:
    rng = np.random.default_rng(0)
    loadings = strength * rng.normal(
        size=(3, 400)
    )  # what all genes share more or less, in any number of cells

    def judged(n_cells: int) -> Judgement:
        values = rng.normal(size=(n_cells, 3)) @ loadings + rng.normal(size=(n_cells, 400))
        sets = np.stack([rng.choice(400, 8, replace=False) for _ in range(random_needed(N_MODULES))])
        random = coherence(correlations(values), sets)
        held = Coherence(
            n_genes=8, mean=0.0, random=float(random.mean()), spread=float(random.std()),
            place=place_of(0.0, random), bar=bar_of(random, N_MODULES),
        )  # fmt: skip
        nan = float("nan")
        own = Judged(n_compared=400, held=(held,) * N_MODULES, precision=nan, recall=nan, agreement=1.0)
        return replace(
            judgement(widest=1.0),
            methods={EXPRESSION: own},
            n_held_out=n_cells,
            lasting=lasting_share(values, sets),
        )

    said = verdict(REQUEST, judged(60), ())
    assert ("More cells would not show 0.05" in said) == lasts  # was "About 1,000 such cells" in both
    if lasts:
        assert judged(6000).methods[EXPRESSION].reach > 0.05
    else:
        (needed,) = re.findall(r"About ([\d,]+) such cells would show 0\.05", said)
        assert judged(int(needed.replace(",", ""))).methods[EXPRESSION].reach == pytest.approx(0.05, rel=0.2)
