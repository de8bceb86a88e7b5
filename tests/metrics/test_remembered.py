"""What is remembered of finished results: equal questions alone share an answer, and few answers are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from scviz.metrics import evidence
from scviz.metrics.evidence import bootstrap
from scviz.metrics.remembered import Remembered
from scviz.plots.calibration import abstaining_figure


@dataclass(frozen=True)
class Curve:
    name: str
    values: np.ndarray


DIFFERENT: tuple[object, ...] = (
    np.array([1.0, 2.0]),
    np.array([[1.0], [2.0]]),
    np.array([1.0, 2.0], np.float32),
    np.array(["1", "2"]),
    np.array(["1", "2"], object),
    [1.0, 2.0],
    [[1.0], 2.0],
    "1.0",
    1.0,
    1,
    True,
    None,
    {"a": 1.0, "b": 2.0},
    {"b": 2.0, "a": 1.0},
    Curve("a", np.array([1.0, 2.0])),
    Curve("b", np.array([1.0, 2.0])),
    Curve("a", np.array([1.0, 3.0])),
)


def test_each_question_has_an_answer_of_its_own_and_keeps_it() -> None:
    kept = Remembered[int](100)
    first = [kept.answer(question, lambda i=i: i) for i, question in enumerate(DIFFERENT)]
    assert first == list(range(len(DIFFERENT)))
    assert [kept.answer(question, lambda: -1) for question in DIFFERENT] == first


def test_the_answer_asked_for_longest_ago_goes_first() -> None:
    kept = Remembered[int](2)
    for question in ("a", "b", "a", "c"):
        kept.answer(question, lambda: 1)
    assert [kept.answer(question, lambda: 2) for question in ("a", "c", "b")] == [1, 1, 2]


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        Remembered[int](1).answer([object()], lambda: 1)


def test_the_interval_of_the_same_values_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    original = evidence.resample

    def counted(*arguments: object, **options: object) -> evidence.Interval:
        drawn.append(1)
        return original(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(evidence, "KNOWN", Remembered[evidence.Interval](10))
    monkeypatch.setattr(evidence, "resample", counted)
    values = np.random.default_rng(5).normal(size=40)
    first = bootstrap(values)
    assert bootstrap(values.copy()) == first
    assert len(drawn) == 1
    assert bootstrap(values, seed=1) != first
    assert bootstrap(values, clusters=np.arange(40) // 4) != first
    assert bootstrap(values, level=0.01) != first
    values[0] += 1
    assert bootstrap(values) != first
    assert len(drawn) == 5


def test_a_figure_of_the_same_numbers_is_drawn_once() -> None:
    at = np.linspace(0, 1, 5)
    spans = np.stack([at, at], axis=1)
    one = abstaining_figure(at, at, spans, thresholds=at)
    assert abstaining_figure(at.copy(), at, spans, thresholds=at) is one
    assert abstaining_figure(at, at, spans, thresholds=at, dark=True) is not one
