"""Every declared field, at and beyond its bounds, through the three doors: Request, command and page."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scviz.cli.fields import add_fields
from scviz.errors import RequestError
from scviz.tasks import TASKS, front
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.fields import Choice, Column, Declared, Number, Switch, declared
from scviz.workspace.records import to_json

GIVEN: dict[str, dict[str, Any]] = {
    "annotation": {"dataset": "d", "checkpoint": "m/c", "label_key": "type"},
    "attention_network": {
        "dataset": "d",
        "checkpoint": "m/c",
        "column": "state",
        "control": "a",
        "perturbed": "b",
        "regulators": ("STAT1",),
    },
    "compare": {"dataset": "d", "checkpoints": ("m/c",)},
    "embedding": {"dataset": "d", "checkpoint": "m/c"},
    "enhancement": {"dataset": "d", "checkpoint": "scfoundation/c"},
    "enrichment": {"dataset": "d", "genes": ("CD3E", "CD3D")},
    "downloading": {"model": "geneformer", "released": "Geneformer-V2-316M"},
    "exporting": {"run": "r"},
    "fetching": {"url": "https://example.org/cells.h5ad"},
    "filtering": {"dataset": "d", "group": "g"},
    "checking": {"path": "cells.h5ad"},
    "mending": {"dataset": "d"},
    "group_genes": {"dataset": "d", "a": CellGroup(column="cell_type", value="B cell")},
    "conditions": {
        "dataset": "d",
        "type_key": "cell_type",
        "donor_key": "donor",
        "condition_key": "condition",
        "first": "stim",
        "second": "ctrl",
    },
    "attribution": {"dataset": "d", "run": "r"},
    "label_audit": {"dataset": "d", "label_key": "cell_type"},
    "markers": {"dataset": "d", "column": "cell_type"},
    "gene_terms": {"library": "MSigDB_Hallmark_2020"},
    "in_silico": {"dataset": "d", "checkpoint": "m/c", "genes": ("CD3E",)},
    "known_links": {"collection": "collectri"},
    "modules": {"dataset": "d"},
    "opening": {"path": "", "name": "s", "simulated": "tiny"},
    "overview": {"dataset": "d"},
    "perturbation": {"dataset": "d", "column": "condition"},
    "pretraining": {"dataset": "d"},
    "qc": {"dataset": "d"},
    "scenic": {"dataset": "d"},
    "self_test": {"checkpoint": "m/c"},
    "transfer": {"dataset": "d", "reference": "blood"},
}
"""What a Request of each task needs besides its declared fields."""


def _every_field() -> Iterator[tuple[str, str]]:
    for task in TASKS:
        for name in declared(front(task).Request):
            yield task, name


FIELDS = list(_every_field())
NUMBERS = [
    (task, name) for task, name in FIELDS if isinstance(declared(front(task).Request)[name].field, Number)
]


def field_of(task: str, name: str) -> Declared:
    return declared(front(task).Request)[name]


def beyond(one: Declared) -> list[Any]:
    """Values that no door may let pass."""
    field = one.field
    if isinstance(field, Number):
        step = 1 if one.whole else 1e-3 * max(abs(field.low), abs(field.high))
        values: list[Any] = [
            field.low - step,
            field.high + step,
            float("nan"),
            float("inf"),
            "many",
            True,
            None,
        ]
        if one.whole:
            values.append(field.low + 0.5)
        allowed = [0] if field.automatic else []
        return [value for value in values if value not in allowed and not (value is None and one.optional)]
    if isinstance(field, Choice):
        return ["no such word", 3]
    return ["yes", 1] if isinstance(field, Switch) else []


def bounds(one: Declared) -> list[Any]:
    """Values that every door lets pass."""
    field = one.field
    if isinstance(field, Number):
        ends = [field.low, field.high, *([0] if field.automatic else [])]
        return [int(end) if one.whole else float(end) for end in ends]
    return (
        list(field.names) if isinstance(field, Choice) else [True, False] if isinstance(field, Switch) else []
    )


@pytest.mark.parametrize("task", TASKS)
def test_every_number_choice_and_switch_of_a_request_is_declared(task: str) -> None:
    request = front(task).Request
    hints = get_type_hints(request)
    known = declared(request)
    plain = {int, float, bool}
    bare = [
        one.name
        for one in dataclasses.fields(request)
        if one.name not in known
        and one.name not in getattr(front(task), "UNDECLARED", ())
        and (plain & {hints[one.name], *get_args(hints[one.name])} or get_origin(hints[one.name]) is Literal)
    ]
    assert bare == []


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_a_default_is_allowed(task: str, name: str) -> None:
    one = field_of(task, name)
    if one.default is not dataclasses.MISSING:
        one.check(one.default)


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_a_request_refuses_what_lies_beyond_and_names_field_bounds_and_value(task: str, name: str) -> None:
    one = field_of(task, name)
    for value in beyond(one):
        with pytest.raises(RequestError) as caught:
            front(task).Request(**{**GIVEN[task], name: value})
        assert one.field.label in str(caught.value)
        assert "got" in str(caught.value)
        assert isinstance(one.field, Column) or one.field.bounds in str(caught.value)


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_a_field_takes_its_bounds(task: str, name: str) -> None:
    one = field_of(task, name)
    for value in bounds(one):
        one.check(value)


@pytest.mark.parametrize(("task", "name"), NUMBERS)
def test_a_command_refuses_what_lies_beyond_and_takes_the_bounds(
    task: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one = field_of(task, name)
    parser = argparse.ArgumentParser()
    add_fields(parser, front(task).Request, name)
    option = f"--{name.replace('_', '-')}"
    for value in bounds(one):
        assert getattr(parser.parse_args([f"{option}={value}"]), name) == value
    for value in beyond(one):
        with pytest.raises(SystemExit):
            parser.parse_args([f"{option}={value}"])
        assert one.field.label in capsys.readouterr().err
    if one.default is not dataclasses.MISSING:
        assert getattr(parser.parse_args([]), name) == one.default


def _draw(task: str, name: str) -> None:
    import streamlit as st

    from pages.components.widgets import Form
    from scviz.tasks import front

    st.session_state["drawn"] = Form(front(task).Request, task).number(name)


@pytest.mark.parametrize(("task", "name"), NUMBERS)
def test_a_page_offers_the_bounds_and_the_default_of_the_request(task: str, name: str) -> None:
    one = field_of(task, name)
    field = one.field
    assert isinstance(field, Number)
    page = AppTest.from_function(_draw, kwargs={"task": task, "name": name}).run(timeout=60)
    assert not page.exception
    widget = page.number_input(key=f"{task}_{name}")
    times = 100 if field.unit == "%" else 1
    assert widget.max == pytest.approx(times * field.high)
    assert widget.min == pytest.approx(0 if field.automatic else times * field.low)
    if one.default not in (dataclasses.MISSING, None):
        assert page.session_state["drawn"] == pytest.approx(one.default)


def test_numbers_of_other_libraries_ask_the_same_question() -> None:
    given, numpys = (
        GIVEN["compare"],
        {"n_neighbors": np.int64(7), "min_dist": np.float32(0.5), "seed": np.uint8(3)},
    )
    ours = front("compare").Request(**given, n_neighbors=7, min_dist=0.5, seed=3)
    theirs = front("compare").Request(**given, **numpys)
    assert theirs == ours
    assert to_json(theirs) == to_json(ours)
    assert str(to_json(front("compare").Request(**given, min_dist=1))["min_dist"]) == "1.0"


@pytest.mark.parametrize("value", [np.float64(7.5), np.bool_(True), np.int64(1), np.nan, 10**400])
def test_numbers_of_other_libraries_and_of_any_size_are_held_to_the_bounds(value: Any) -> None:
    with pytest.raises(RequestError, match="Neighbors must be"):
        front("compare").Request(**GIVEN["compare"], n_neighbors=value)
