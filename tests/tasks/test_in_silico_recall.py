"""What is said of a screen that chose which genes are edited exactly."""

from __future__ import annotations

import numpy as np

from scviz.tasks.in_silico.screening import recall_in_words

CHOSEN = np.linspace(1, 2, 50).tolist()


def test_a_screen_that_missed_many_is_not_taken_to_have_found_the_strongest() -> None:
    """10 of 40 random genes are as strong as the last of the 20 strongest: so are a quarter of the 910 others."""
    said = recall_in_words(CHOSEN, [1.7] * 10 + [0.1] * 30, n_genes=1000)
    assert "of the 20 strongest of these 90, the screen had chosen 15" in said
    assert "Of the 910 genes that were not edited, 129 to 366 would be as strong" in said
    assert "the screen has not found the strongest" in said


def test_a_screen_that_missed_none_of_the_random_genes_says_how_many_there_may_be() -> None:
    said = recall_in_words(CHOSEN, [0.1] * 200, n_genes=1000)
    assert "the screen had chosen 20" in said
    assert "Of the 750 genes that were not edited, 0 to 14 would be as strong" in said
    assert "has not found" not in said


def test_few_random_genes_tell_nothing_and_none_left_out_is_said() -> None:
    assert "Too few random genes tell how many it missed" in recall_in_words(CHOSEN, [0.1] * 5, n_genes=1000)
    assert recall_in_words(CHOSEN, [0.1] * 40, n_genes=90).endswith("No gene was left out.")
