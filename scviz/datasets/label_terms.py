"""The term of each label of a dataset: what the user chose, what the file says, what the label can mean alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from scviz.datasets.cell_ontology import label_of, terms
from scviz.datasets.cell_type_terms import Candidate, Offer, terms_for
from scviz.datasets.columns import cell_column, column_names
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.workspace.term_choices import choose_term, chosen_terms

STANDARD = "cell_type_ontology_term_id"
"""Column in which the schema of CELLxGENE has the term of each cell."""
SUFFIX = "ontology_term_id"
"""How columns with terms end in files that scviz writes."""
Origin = Literal["chosen", "file", "sure", "none"]
ORIGINS: dict[Origin, str] = {
    "chosen": "chosen by you",
    "file": f"the file says so in {STANDARD}",
    "sure": "the only term that says the same",
    "none": "to be chosen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTerm:
    """The term of a label."""

    label: str
    term: str
    """Id; empty for none."""
    origin: Origin

    @property
    def how(self) -> str:
        """Say where it comes from."""
        return "no term, chosen by you" if self.origin == "chosen" and not self.term else ORIGINS[self.origin]


def label_terms(folder: Path, labels: Sequence[str], column: str = "") -> tuple[LabelTerm, ...]:
    """Give the term of each label of a dataset.

    A choice of the user goes first, then what the file says of the cells with this label, then the one term that says
    what the label says. Where several could be meant, none is taken.

    Parameters
    ----------
    column
        Column that the labels are those of; empty where they are not in the file.
    """
    chosen, said = chosen_terms(folder), terms_in_file(folder, column) if column else {}
    return tuple(_term(label, chosen, said) for label in labels)


def _term(label: str, chosen: dict[str, str], said: dict[str, str]) -> LabelTerm:
    sure = terms_for(label).sure
    if label in chosen:
        return LabelTerm(label=label, term=chosen[label], origin="chosen")
    if label in said:
        return LabelTerm(label=label, term=said[label], origin="file")
    return LabelTerm(label=label, term=sure.id if sure else "", origin="sure" if sure else "none")


def terms_in_file(folder: Path, column: str) -> dict[str, str]:
    """Read which term the file itself gives each label, by the column that the schema of CELLxGENE has.

    Returns
    -------
    Label -> id, for labels all of whose cells have one term of the ontology.
    """
    if STANDARD not in column_names(folder):
        return {}
    ids = np.array(cell_column(folder, STANDARD).strings(), dtype=object)
    labels = cell_labels(folder, column)
    found = {}
    for code, name in enumerate(labels.names):
        of_label = set(ids[labels.codes == code].tolist())
        if len(of_label) == 1 and of_label <= set(terms()):
            found[name] = of_label.pop()
    return found


def offered(folder: Path, one: LabelTerm, column: str = "") -> tuple[Candidate, ...]:
    """Return what is offered for a label: its candidates, and what the file or the user have named beside them."""
    offer: Offer = terms_for(one.label)
    known = {candidate.id for candidate in offer.candidates}
    said = terms_in_file(folder, column).get(one.label, "") if column else ""
    others = [term for term in dict.fromkeys((one.term, said)) if term and term not in known]
    return (
        *(Candidate(id=term, label=label_of(term), match="id") for term in others),
        *offer.candidates,
    )


def take_term(folder: Path, label: str, text: str) -> str:
    """Keep for a label the term that a user names by its id or its name; "" for none. Returns its id.

    Raises
    ------
    RequestError
        If there is no such term, or several.
    """
    if text:
        offer = terms_for(text)
        if offer.sure is None:
            near = "; ".join(f"{one.label} ({one.id})" for one in offer.candidates)
            raise RequestError(
                f"The Cell Ontology has no one term {text!r}.",
                hint=f"It may be: {near}." if near else "Type an id such as CL:0000084, or a name.",
            )
        text = offer.sure.id
    choose_term(folder, label, text)
    return text
