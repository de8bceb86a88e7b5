"""What an edit of genes did: verdict, arrows, random genes, types, a real perturbation beside it, ranking."""

from __future__ import annotations

from pages.components import state
from pages.components.finished import result_of
from pages.components.verdict_box import verdict_box
from pages.views.in_silico.one_edit import edit_result
from pages.views.in_silico.sweep import sweep_result
from scviz.models import cards
from scviz.tasks.in_silico import Result
from scviz.workspace.database import Run

SIMULATION = "A simulation inside the model, not a measurement."
EVALUATED = {
    "evaluated": "The authors of {} evaluated such edits of genes.",
    "related": "The authors of {} evaluated something like such edits of genes.",
    "none": "The authors of {} did not evaluate such edits of genes.",
}


def in_silico_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    card = cards()[state.workspace().checkpoint(run.request["checkpoint"]).model]
    evaluated = EVALUATED[card.edits[run.request.get("kind", "delete")]].format(card.title)
    verdict_box(result.outcome, result.verdict, run=run, notes=(SIMULATION, evaluated, *result.notes))
    (sweep_result if result.map_places is None else edit_result)(run, result)
