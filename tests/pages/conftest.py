"""What holds for every test of a page: it draws, and nothing is computed beside it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_is_computed(no_engine: None) -> None:
    """No page of these tests starts an engine."""
