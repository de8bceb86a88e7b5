"""Named groups of cells: every operation, taken back and done again, exactly, also by two at once."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scviz.errors import RequestError
from scviz.workspace.group_history import MOST_CHANGES, read_history
from scviz.workspace.groups import (
    change_group,
    copy_groups,
    delete_groups,
    group_version,
    intersect_groups,
    merge_groups,
    name_group,
    name_groups,
    read_groups,
    redo,
    rename_group,
    undo,
)

Groups = dict[str, list[int]]


def groups(folder: Path) -> Groups:
    return {name: rows.tolist() for name, rows in read_groups(folder).items()}


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Groups A (0-3), B (2-5), C (8, 9)."""
    name_group(tmp_path, "A", rows(0, 1, 2, 3))
    name_group(tmp_path, "B", rows(2, 3, 4, 5))
    name_group(tmp_path, "C", rows(9, 8, 9))
    return tmp_path


ABC = {"A": [0, 1, 2, 3], "B": [2, 3, 4, 5], "C": [8, 9]}
CHANGES: dict[str, tuple[Callable[[Path], None], Groups, str]] = {
    "name": (
        lambda at: name_group(at, " New   one ", rows(7)),
        ABC | {"New one": [7]},
        "Named “New one” (1 cell)",
    ),
    "name one of several": (
        lambda at: name_groups(at, {"New": rows(7)}, replace=False),
        ABC | {"New": [7]},
        "Named “New” (1 cell)",
    ),
    "name several": (
        lambda at: name_groups(at, {"B": rows(7), " New  one": rows(8, 6)}),
        ABC | {"B": [7], "New one": [6, 8]},
        "Named 2 groups",
    ),
    "replace": (lambda at: name_group(at, "B", rows(7)), ABC | {"B": [7]}, "Named “B” (1 cell)"),
    "rename": (
        lambda at: rename_group(at, "A", "a"),
        {"a": ABC["A"], "B": ABC["B"], "C": ABC["C"]},
        "Renamed “A” to “a”",
    ),
    "merge": (
        lambda at: merge_groups(at, ["B", "C", "B"], "c"),
        {"A": ABC["A"], "c": [2, 3, 4, 5, 8, 9]},
        "Merged “B” and “C” into “c” (6 cells)",
    ),
    "intersect": (
        lambda at: intersect_groups(at, ["A", "B"], "both"),
        ABC | {"both": [2, 3]},
        "Named the cells shared by “A” and “B” “both” (2 cells)",
    ),
    "add": (
        lambda at: change_group(at, "A", rows(3, 7), how="add"),
        ABC | {"A": [0, 1, 2, 3, 7]},
        "Added 1 cell to “A”",
    ),
    "take": (
        lambda at: change_group(at, "A", rows(0, 1, 9), how="take"),
        ABC | {"A": [2, 3]},
        "Took 2 cells from “A”",
    ),
    "keep": (
        lambda at: change_group(at, "A", rows(3, 7), how="keep"),
        ABC | {"A": [3]},
        "Took 3 cells from “A” that were not selected",
    ),
    "delete": (lambda at: delete_groups(at, ["A"]), {"B": ABC["B"], "C": ABC["C"]}, "Deleted “A” (4 cells)"),
    "delete one, named twice": (
        lambda at: delete_groups(at, ["A", "A"]),
        {"B": ABC["B"], "C": ABC["C"]},
        "Deleted “A” (4 cells)",
    ),
    "delete two": (lambda at: delete_groups(at, ["A", "C"]), {"B": ABC["B"]}, "Deleted “A” and “C”"),
    "copy": (
        lambda at: copy_groups(at, {"A": rows(7), "D": rows(6), "E": rows()}),
        ABC | {"D": [6]},
        "Took the groups over",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_one_step_that_is_taken_back_and_done_again_exactly(three: Path, what: str) -> None:
    change, after, said = CHANGES[what]
    change(three)
    assert list(groups(three).items()) == list(after.items())  # their order, too
    assert read_history(three).last is not None
    assert read_history(three).last.what == said  # type: ignore[union-attr]
    assert undo(three) == said
    assert list(groups(three).items()) == list(ABC.items())
    assert redo(three) == said
    assert list(groups(three).items()) == list(after.items())


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no name": (lambda at: name_group(at, " \n ", rows(1)), r"1 to 200 characters \(got 0\)"),
    "a long name": (lambda at: name_group(at, "x" * 201, rows(1)), r"\(got 201\)"),
    "no cells": (lambda at: name_group(at, "D", rows()), "No cell was selected"),
    "a name that is taken": (lambda at: name_group(at, "A", rows(1), replace=False), "a group “A” already."),
    "one of several is taken": (
        lambda at: name_groups(at, {"D": rows(1), "B": rows(1)}, replace=False),
        "a group “B” already.",
    ),
    "the same but for case": (lambda at: name_groups(at, {"D": rows(1), "d": rows(2)}), "“D” already, which"),
    "one of several has no cells": (
        lambda at: name_groups(at, {"D": rows(1), "E": rows()}),
        "No cell was chosen for “E”",
    ),
    "case alone": (lambda at: name_group(at, "a", rows(1)), "“A” already, which differs by the case"),
    "renamed to another": (lambda at: rename_group(at, "A", "b"), "“B” already"),
    "merged into another": (lambda at: merge_groups(at, ["A", "B"], "C"), "“C” already"),
    "one merged": (lambda at: merge_groups(at, ["A", "A"], "D"), "Fewer than two"),
    "nothing shared": (lambda at: intersect_groups(at, ["A", "C"], "D"), "No cell is in all of “A” and “C”"),
    "nothing to add": (lambda at: change_group(at, "A", rows(1), how="add"), "all of these cells already"),
    "nothing to take": (lambda at: change_group(at, "A", rows(9), how="take"), "none of these cells"),
    "all taken": (lambda at: change_group(at, "C", rows(8, 9), how="take"), "No cell would be left"),
    "all kept": (
        lambda at: change_group(at, "C", rows(8, 9, 1), how="keep"),
        "all its cells are among these",
    ),
    "gone": (lambda at: delete_groups(at, ["A", "gone"]), "no group “gone”"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused_and_changes_nothing(three: Path, what: str) -> None:
    change, said = REFUSED[what]
    before = read_history(three)
    with pytest.raises(RequestError, match=said) as refused:
        change(three)
    assert refused.value.hint
    assert read_history(three) == before


@pytest.mark.parametrize(
    "name", ["<b>T</b> & *B* $x$ :red[y]", "x" * 200, "../../etc", "T/B", "Zellen größer ä", "nul"]
)
def test_any_other_text_is_a_name(tmp_path: Path, name: str) -> None:
    name_group(tmp_path, name, rows(3))
    assert groups(tmp_path) == {name: [3]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["groups", "groups.lock"]


NAMES = st.sampled_from(["A", "B", "C", "a", "D"])
MEMBERS = st.lists(st.integers(0, 30), max_size=12).map(lambda them: np.array(them, dtype=np.int64))
EDITS = st.one_of(
    st.tuples(st.just(name_group), NAMES, MEMBERS),
    st.tuples(st.just(rename_group), NAMES, NAMES),
    st.tuples(st.just(merge_groups), st.lists(NAMES, max_size=3), NAMES),
    st.tuples(st.just(intersect_groups), st.lists(NAMES, max_size=3), NAMES),
    st.tuples(st.just(delete_groups), st.lists(NAMES, min_size=1, max_size=2)),
    *(
        st.tuples(
            st.just(lambda at, name, them, how=how: change_group(at, name, them, how=how)), NAMES, MEMBERS
        )
        for how in ("add", "take", "keep")
    ),
)


@settings(max_examples=40)
@given(st.lists(EDITS, max_size=12), st.integers(0, 12))
def test_any_changes_are_taken_back_and_done_again_exactly(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple], back: int
) -> None:
    folder = tmp_path_factory.mktemp("groups")
    states = [groups(folder)]
    for edit, *values in edits:
        try:
            edit(folder, *values)
        except RequestError:
            continue
        if groups(folder) != states[-1] or list(groups(folder)) != list(states[-1]):
            states.append(groups(folder))
    taken = 0
    while taken < back and undo(folder):
        taken += 1
        assert list(groups(folder).items()) == list(states[-1 - taken].items())
    for place in range(len(states) - taken, len(states)):
        assert redo(folder)
        assert list(groups(folder).items()) == list(states[place].items())
    assert redo(folder) == ""


def test_a_new_change_after_an_undo_forgets_what_was_taken_back(three: Path) -> None:
    undo(three)
    name_group(three, "D", rows(7))
    assert redo(three) == ""
    assert groups(three) == {"A": ABC["A"], "B": ABC["B"], "D": [7]}


def test_a_hundred_changes_are_kept_and_no_more(tmp_path: Path) -> None:
    for number in range(MOST_CHANGES + 5):
        name_group(tmp_path, "A", rows(number))
    back = 0
    while undo(tmp_path):
        back += 1
    assert back == MOST_CHANGES
    assert groups(tmp_path) == {"A": [4]}
    assert len(read_history(tmp_path).known) == MOST_CHANGES + 1


def test_cells_that_no_step_needs_go_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name_group(tmp_path, "A", rows(1))
    undo(tmp_path)
    name_group(tmp_path, "A", rows(2))
    files = list((tmp_path / "groups").glob("*.rows"))
    assert len(files) == 2
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    name_group(tmp_path, "A", rows(2, 3))
    left = {path.stem for path in (tmp_path / "groups").glob("*.rows")}
    assert left >= {group_version(rows(2)), group_version(rows(2, 3))}
    assert group_version(rows(1)) not in left


def test_groups_of_earlier_versions_are_read_changed_and_come_back(tmp_path: Path) -> None:
    with (tmp_path / "groups.npz").open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            names=np.array(["old one", "Old one"]),
            rows_0=rows(5, 2),
            rows_1=rows(1),
        )
    assert groups(tmp_path) == {"old one": [2, 5], "Old one": [1]}
    assert undo(tmp_path) == ""
    delete_groups(tmp_path, ["old one"])
    (tmp_path / "groups.npz").unlink()
    assert groups(tmp_path) == {"Old one": [1]}
    undo(tmp_path)
    assert groups(tmp_path) == {"old one": [2, 5], "Old one": [1]}


def test_a_change_on_an_old_state_is_refused_and_one_of_other_groups_is_not(three: Path) -> None:
    seen = read_history(three)  # a first tab
    rename_group(three, "A", "X", by="ann@lab.org")  # a second one
    name_group(three, "D", rows(7), seen=seen)
    change_group(three, "C", rows(1), how="add", seen=seen)
    for change in (
        lambda: delete_groups(three, ["A"], seen=seen),
        lambda: name_group(three, "X", rows(1), seen=seen),
        lambda: merge_groups(three, ["A", "B"], "M", seen=seen),
    ):
        with pytest.raises(
            RequestError, match="changed elsewhere since this page was drawn, so nothing was done"
        ):
            change()
    assert groups(three) == {"X": ABC["A"], "B": ABC["B"], "C": [1, 8, 9], "D": [7]}
    assert read_history(three).groups["X"].by == "ann@lab.org"


def test_a_step_is_taken_back_and_done_again_as_that_very_one_or_not_at_all(three: Path) -> None:
    mine = name_group(three, "X", rows(1))
    yours = name_group(three, "Y", rows(2), by="ann@lab.org")
    assert mine is not None
    assert yours is not None
    with pytest.raises(RequestError, match=r"since, so nothing was taken back.*“Y”.*ann@lab\.org"):
        undo(three, step=mine)
    assert groups(three) == ABC | {"X": [1], "Y": [2]}
    assert undo(three, step=yours)
    assert undo(three, step=yours) == ""  # it is taken back already, and no other one for it
    assert undo(three, step=mine)
    assert groups(three) == ABC
    with pytest.raises(RequestError, match=r"nothing was done again\. First comes: Named “X”"):
        redo(three, step=yours)
    assert redo(three, step=mine)
    assert redo(three, step=mine) == ""
    delete_groups(three, ["A"])
    assert redo(three, step=yours) == ""
    assert groups(three) == {"B": ABC["B"], "C": ABC["C"], "X": [1]}


def test_a_step_is_known_again_after_groups_were_forgotten(tmp_path: Path) -> None:
    steps = [name_group(tmp_path, "A", rows(number)) for number in range(MOST_CHANGES + 5)]
    assert undo(tmp_path, step=steps[-1])
    assert undo(tmp_path, step=steps[-2])
    assert groups(tmp_path) == {"A": [MOST_CHANGES + 2]}
    assert name_group(tmp_path, "A", rows(MOST_CHANGES + 2)) is None  # as it was: no step


def write_many(folder: Path, start: int) -> None:
    for number in range(start, start + 20):
        name_group(folder, f"group {number}", rows(number))


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(tmp_path, start)) for start in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert groups(tmp_path) == {f"group {n}": [n] for n in (*range(20), *range(100, 120))}
    assert len(read_history(tmp_path).steps) == 41


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1.0])
def test_a_selection_of_a_million_cells_is_exact_and_small(tmp_path: Path, share: float) -> None:
    chosen = np.flatnonzero(np.random.default_rng(0).random(1_000_000) < share)
    name_group(tmp_path, "many", chosen)
    assert np.array_equal(read_groups(tmp_path)["many"], chosen)
    assert read_history(tmp_path).groups["many"].version == group_version(chosen[::-1])
    assert sum(path.stat().st_size for path in (tmp_path / "groups").iterdir()) < 126_500
