"""The coloring in the address: what by, on which scale, in whose colors, so that a link shows the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pages.components import state
from pages.components.color_scale import SCALES, Scale, scale_between, scale_from_text, scale_to_text
from pages.components.coloring import GENE, GENE_SET, OF_GENES, OF_NUMBERS, TWO_GENES, choices, clusters_word
from pages.components.set_coloring import FIRST, HOW, set_as_said, set_in_words
from scviz.networks.set_scores import HOWS
from scviz.workspace import DatasetInfo

OF_GENE, OF_GENES_TWO, OF_SET = "gene:", "genes:", "set:"
"""A coloring in the address that begins so names a gene, two, or a set of them; any other a column."""
COLOR, SCALE, COLORS, SCORE = "color", "scale", "colors", "score"
"""What addresses call them."""
FILE, OURS = "file", "ours"
"""Whose colors a column has."""


def recall_coloring(dataset: DatasetInfo, more: Sequence[str] = ()) -> None:
    """Set the coloring to that of the address when it is drawn first, and to the clusters when they come.

    Parameters
    ----------
    more
        What else cells can be colored by.
    """
    held, clusters = state.held("color_by"), clusters_word(dataset)
    offered = [*choices(dataset), *more]
    if held is None:
        _recall(dataset, clusters, offered)
    elif clusters in offered and held == GENE and not state.held("gene") and _waited(dataset):
        state.preset("color_by", clusters)
    state.keep("without_clusters", dataset.id if clusters not in offered else None)


def _recall(dataset: DatasetInfo, clusters: str, offered: Sequence[str]) -> None:
    """Set the coloring of the address, all of it, else that of the session."""
    linked = state.from_link(COLOR)
    told = state.from_link if linked else state.recall
    said = {name: told(name) or "" for name in (COLOR, SCALE, COLORS, SCORE)}
    if not _begin(dataset, said, offered) and linked not in ("", clusters):
        state.left_out(f"The link's colors are not to be had for these cells: {linked[:80]}")


def _begin(dataset: DatasetInfo, said: Mapping[str, str], offered: Sequence[str]) -> bool:
    """Set the coloring that an address names; returns whether it can be had."""
    color = said[COLOR]
    if color.startswith(OF_GENE):
        choice = GENE
        state.preset("gene", color.removeprefix(OF_GENE))
    elif color.startswith(OF_GENES_TWO):
        choice = TWO_GENES
        first, _, second = color.removeprefix(OF_GENES_TWO).partition(",")
        state.preset("gene", first)
        state.preset("second_gene", second)
    elif color.startswith(OF_SET):
        choice = GENE_SET if set_as_said(dataset, color.removeprefix(OF_SET)) else ""
    else:
        choice = color
    if choice not in offered:
        return False
    state.preset("color_by", choice)
    _begin_colors(dataset, said, choice)
    return True


def _begin_colors(dataset: DatasetInfo, said: Mapping[str, str], choice: str) -> None:
    """Set how the values become colors."""
    key, _ = _scale_of(choice)
    scale = scale_from_text(said[SCALE])
    if scale is not None:
        state.preset(f"{key}_clip", (scale.low, scale.high))
        state.preset(f"{key}_log", SCALES[scale.log])
    if said[COLORS] in (FILE, OURS):
        state.preset(_file_colors(dataset, choice), said[COLORS] == FILE)
    if said[SCORE] in HOWS:
        state.preset(HOW, said[SCORE])


def remember_coloring(dataset: DatasetInfo, choice: str) -> None:
    """Put the coloring into the address; a gene that is not named yet is none."""
    color = _in_words(choice)
    if not color:
        return
    key, first = _scale_of(choice)
    clip, kind = state.held(f"{key}_clip"), state.held(f"{key}_log")
    low, high = clip or (first.low, first.high)
    scale = scale_between(low, high, log=first.log if kind is None else kind == SCALES[True])
    file = state.held(_file_colors(dataset, choice))
    state.remember(COLOR, color)
    state.remember(SCALE, scale_to_text(scale) if clip and scale != first else None)
    state.remember(COLORS, None if file is None else FILE if file else OURS)
    state.remember(SCORE, state.held(HOW) if choice == GENE_SET else None)


def _in_words(choice: str) -> str:
    """Write what cells are colored by; empty while that is not complete."""
    gene, second = state.held("gene") or "", state.held("second_gene") or ""
    if choice == GENE:
        return f"{OF_GENE}{gene}" if gene else ""
    if choice == TWO_GENES:
        return f"{OF_GENES_TWO}{gene},{second}" if gene and second else ""
    if choice == GENE_SET:
        return f"{OF_SET}{set_in_words()}" if set_in_words() else ""
    return choice


def _scale_of(choice: str) -> tuple[str, Scale]:
    """Return what the keys of the scale begin with, and the scale to begin with."""
    if choice in (GENE, TWO_GENES):
        return "gene", OF_GENES
    return ("set", FIRST) if choice == GENE_SET else (f"number_{choice}", OF_NUMBERS)


def _file_colors(dataset: DatasetInfo, choice: str) -> str:
    return f"file_colors_{dataset.id}_{choice}"


def _waited(dataset: DatasetInfo) -> bool:
    """Tell whether the page was drawn before without clusters."""
    return state.kept("without_clusters") == dataset.id
