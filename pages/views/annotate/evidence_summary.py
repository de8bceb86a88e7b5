"""For each type: which evidence supports its name, which speaks against it, and what cannot be told."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.show import escaped, table
from scviz.datasets.name_relations import RELATIONS, relations_of
from scviz.tasks import attribution, markers
from scviz.tasks.annotation import MODEL, Result
from scviz.tasks.attribution.verdict import said_of
from scviz.tasks.name_evidence import Said, by_held_out, by_known_markers, conclusion
from scviz.workspace.database import Run

MARKS = {"supports": "supports", "speaks against": "against", "cannot tell": "cannot tell"}
NOT_ASKED = "not asked yet"


def names_and_evidence(run: Run, result: Result, kind: str) -> None:
    """Conclude for the chosen type, and show how every type stands.

    Parameters
    ----------
    kind
        The type that was chosen.
    """
    found = {name: _evidence(run, result, name) for name in result.types}
    st.markdown(f"**{escaped(conclusion(kind, found[kind]))}**")
    st.markdown(
        "\n".join(
            f"- {escaped(one.evidence)} ({escaped(one.standing)}): {escaped(one.words)}."
            for one in found[kind]
        )
    )
    asked = list(dict.fromkeys(one.evidence for said in found.values() for one in said))
    if not asked:
        return
    rows = [
        {
            "Type": name,
            **dict.fromkeys(asked, NOT_ASKED),
            **{one.evidence: MARKS[one.standing] for one in said},
        }
        for name, said in found.items()
    ]
    with st.expander("All types", key="evidence_all"):
        table(pd.DataFrame(rows), key="evidence_types", name="evidence_by_type")
        st.caption(
            "Supports: beyond what chance gives in 1 case of 20, or most held-out cells named so are known as such. "
            "Against: no more than chance, or most are known as another type. Cannot tell: between the two, or too few "
            "cells or genes. Labels, markers and classifier all rest on the same measurement."
        )


def newest_of(task: str, asked: dict[str, str]) -> Run | None:
    """Return the newest run of a task with this question."""
    runs = state.queue().runs(owner=state.owner(), task=task)
    return next((run for run in runs if asked.items() <= run.request.items()), None)


def _evidence(run: Run, result: Result, kind: str) -> list[Said]:
    """Gather what was asked so far of a type."""
    found = []
    if len(result.test_rows):
        code = result.types.index(kind)
        found.append(by_held_out(kind, result.truth == code, result.predicted[MODEL] == code))
    dataset = run.request["dataset"]
    asked = newest_of("markers", {"dataset": dataset, "column": run.request["label_key"]})
    if asked is not None and asked.state == "done":
        found += _by_markers(result_of(asked, markers.Result), kind, dataset)
    asked = newest_of("attribution", {"dataset": dataset, "run": run.id})
    if asked is not None and asked.state == "done":
        behind = result_of(asked, attribution.Result)
        if kind in behind.types:
            n_deleted = asked.request["n_deleted"]
            found += said_of(behind, behind.types.index(kind), n_deleted=n_deleted)
    return found


def _by_markers(known: markers.Result, kind: str, dataset: str) -> list[Said]:
    if kind not in known.names:
        return []
    said = known.suggestions[known.names.index(kind)]
    relation = "unknown"
    if said.name:
        folder = state.workspace().dataset_folder(dataset)
        relation = RELATIONS[int(relations_of(folder, [kind], [said.name])[0, 0])]
    return [by_known_markers(said.name, relation, shared=len(said.genes), expected=said.expected)]
