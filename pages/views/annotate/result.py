"""What a run of cell types found: verdict, scores beside the baselines, confusion matrix, every cell's name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH
from pages.components.finished import result_of
from pages.components.job_panel import curve, duration, job_panel
from pages.components.show import errors_in_words, escaped, table
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import tabs
from pages.views.annotate.cells import cells_of
from pages.views.annotate.confidence import confidence_tab
from pages.views.annotate.evidence import evidence
from pages.views.annotate.new_types import new_types_tab
from pages.views.annotate.ontology import ontology
from pages.views.annotate.others import Names, other_names
from pages.views.annotate.scores import confusion, metrics, types_and_methods
from scviz.metrics.comparison import MEANING
from scviz.metrics.evidence import counted
from scviz.tasks import importing
from scviz.tasks.annotation import CLASSIFIER, Result
from scviz.workspace.database import Run


def annotation_result(run: Run) -> None:
    """Show a finished run; what cannot be judged, or was not trained, has no place on it."""
    result = result_of(run, Result)
    _verdict(run, result)
    if result.gain is not None:
        metrics(result, result.gain)
    judged = ["Confusion", "Types", "Confidence"] if result.gain is not None else []
    judged += ["New types"] if result.n_train else []
    names = [
        *judged,
        "Learning" if result.n_train else "Named",
        "Cells",
        "Evidence",
        "Ontology",
        "Other names",
    ]
    place = dict(zip(names, tabs(names, key="annotate_tabs"), strict=True))
    threshold = 0.0
    if result.gain is not None:
        with place["Confusion"]:
            confusion(run, result, footer=footer(run))
        with place["Types"]:
            types_and_methods(result, result.gain, footer=footer(run))
        with place["Confidence"]:
            threshold = confidence_tab(run, result, result.gain, footer=footer(run))
    if result.n_train:
        with place["New types"]:
            new_types_tab(result, footer=footer(run))
        with place["Learning"]:
            _learning(run, result)
    else:
        with place["Named"]:
            _named(run, result)
    with place["Cells"]:
        cells_of(run, result, threshold)
    with place["Evidence"]:
        evidence(run, result)
    with place["Ontology"]:
        _ontology(run, result)
    with place["Other names"]:
        _others(run, result)


def _others(run: Run, result: Result) -> None:
    """Compare the names with those of the file, on cells that no label was learned from."""
    codes = np.where(result.unassigned, -1, result.all_predicted)
    taught = run.request["label_key"] if result.n_train else ""
    if taught:
        from scviz.datasets.labels import cell_labels

        folder = state.workspace().dataset_folder(run.request["dataset"])
        learned = cell_labels(folder, run.request["label_key"]).codes >= 0
        learned[result.test_rows] = False
        codes = np.where(learned, -1, codes)
        st.caption(
            escaped(
                f"The model learned from labels of {taught}. Cells whose labels taught it, or chose its best epoch, "
                "are left out of the comparison."
            )
        )
    own = Names(names=result.types, codes=codes, title="the model", learned_from=taught)
    other_names(run.request["dataset"], own)


def _ontology(run: Run, result: Result) -> None:
    """Offer terms for the names that cells were given."""
    named = pd.Series(result.names[result.names != ""]).value_counts()
    labels = {str(name): int(n) for name, n in named.items()}
    ontology(run.request["dataset"], labels, column=run.request["label_key"], run=run.id)


def _verdict(run: Run, result: Result) -> None:
    if result.gain is not None:
        verdict_box(result.gain.outcome, result.gain.sentence, run=run, notes=result.notes, meaning=MEANING)
        return
    named = int((result.names != "").sum())
    verdict_box(
        "unknown",
        f"{named:,} of {len(result.all_predicted):,} cells have one of {len(result.types)} types. How good these "
        "names are cannot be told: no cell has a label to compare with.",
        run=run,
        notes=result.notes,
    )


def _learning(run: Run, result: Result) -> None:
    curve(run.id)
    st.caption(
        f"Trained on {counted(result.n_train, 'cell')}, checked on {result.n_validation:,}; "
        f"the weights of epoch {result.best_epoch + 1} of {len(result.losses)} were kept. "
        f"Took {duration(run.ended - run.started)}."
    )
    with errors_in_words():
        _save(run)


def _save(run: Run) -> None:
    """Offer the trained classifier as a checkpoint, which names cells of other datasets."""
    source = state.workspace().checkpoint(run.request["checkpoint"])
    line = st.container(horizontal=True, vertical_alignment="bottom")
    name = line.text_input(
        "Save as a checkpoint that names these types", value=f"{source.name}, fine-tuned", key="save_name"
    )
    key = f"saved_{run.id}"
    if line.button("Save", key="save_classifier", icon=":material/save:"):
        folder = (state.workspace().run_folder(run.id) / "result" / CLASSIFIER).resolve()
        request = importing.Request(model=source.model, folder=str(folder), name=name)
        state.keep(key, state.queue().submit("importing", request, state.owner()).run)
    saved = state.kept(key)
    if saved is not None and job_panel(saved).state == "done":
        st.success(
            "Saved. Choose it as checkpoint to predict with the types it knows.", icon=":material/check:"
        )


def _named(run: Run, result: Result) -> None:
    """Count the cells of each name, apart by the labels of the file where there are some."""
    names = pd.Series(result.names, name="Named")
    counts = names.value_counts()
    frame = pd.DataFrame({"Named": counts.index, "Cells": counts.to_numpy()})
    frame["Median confidence"] = [
        float(pd.Series(result.all_confidence)[(names == name).to_numpy()].median())
        for name in frame["Named"]
    ]
    frame["Named"] = frame["Named"].replace("", "no name")
    digits = {"Median confidence": HUNDREDTH}
    table(frame, key="named", name="cells_by_name", column_config=digits)
    st.caption(
        f"No name: no type has a probability of {result.unassigned_below:g} or more, or the model sees no gene."
    )
    if run.request["label_key"]:
        _across(run, names)


def _across(run: Run, names: pd.Series) -> None:
    """Count the cells of each own label by the name they were given, whatever the two are called."""
    from scviz.datasets.labels import cell_labels

    labels = cell_labels(state.workspace().dataset_folder(run.request["dataset"]), run.request["label_key"])
    own = pd.Series(labels.texts, name=run.request["label_key"])
    across = pd.crosstab(own[own != ""], names.replace("", "no name")).reset_index()
    st.caption("Cells of each label of the file, by the name that they were given:")
    table(across, key="across", name="labels_and_names")
