"""The learning rate by which the authors of scBERT fine-tune."""

from __future__ import annotations

import pytest

from tests.goldens.scbert_schedule import Schedule


def test_the_rate_rises_falls_and_starts_again_lower_and_longer() -> None:
    rates = Schedule().rates(85)
    peaks = [i for i in range(1, 84) if rates[i - 1] < rates[i] > rates[i + 1]]
    assert peaks == [5, 20, 45]
    assert rates[peaks].tolist() == pytest.approx([1e-4, 9e-5, 8.1e-5])
    assert rates[[0, 15, 40]].tolist() == pytest.approx([1e-6] * 3)
    assert rates[14] == pytest.approx(3.42e-6, rel=1e-2)
