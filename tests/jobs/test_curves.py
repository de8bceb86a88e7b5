"""Live curves: few points, read once, drawn when they change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.jobs.curves import MOST_POINTS, MOST_RUNS, Curve, Curves, Line


def event(done: int, **values: float) -> str:
    return (
        json.dumps({"time": 0, "stage": "Training", "done": done, "total": 0, "values": values, "note": ""})
        + "\n"
    )


def followed(path: Path, *lines: str) -> Curve:
    path.write_text("".join(lines))
    curve = Curve(path)
    curve.look()
    return curve


def test_few_values_are_drawn_as_they_are(tmp_path: Path) -> None:
    lines = [event(1, loss=4.0), event(1), event(2, loss=2.0, validation_loss=3.0)]
    curve = followed(tmp_path / "e", *lines)
    assert curve.line("loss") == Line(x=(1, 2), y=(4.0, 2.0))
    assert curve.line("validation_loss") == Line(x=(2,), y=(3.0,))
    assert curve.line("accuracy") == Line()


@given(st.integers(1, 6 * MOST_POINTS))
def test_no_curve_has_more_points_and_each_is_the_mean_of_its_values(n: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        line = followed(Path(folder) / "e", *(event(i, loss=float(i * i)) for i in range(1, n + 1))).line(
            "loss"
        )
    assert MOST_POINTS / 2 - 1 <= len(line.x) <= MOST_POINTS or n < MOST_POINTS
    for last, mean in zip(line.x, line.y, strict=True):
        values = [i * i for i in range(int(last) - line.each + 1, int(last) + 1)]
        assert mean == pytest.approx(sum(values) / line.each)


def test_a_look_reads_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "e"
    first = event(1, loss=4.0)
    curve = followed(path, first)
    path.write_text("x" * (len(first) - 1) + "\n" + event(2, loss=2.0))  # read again, the first would be gone
    curve.look()
    assert curve.line("loss").y == (4.0, 2.0)


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path, whole = tmp_path / "e", event(2, loss=2.0)
    curve = followed(path, event(1, loss=4.0), whole[:20])
    assert curve.line("loss").y == (4.0,)
    with path.open("a") as file:
        file.write(whole[20:])
    curve.look()
    assert curve.line("loss").y == (4.0, 2.0)


def test_a_line_that_was_cut_off_for_good_is_left_out(tmp_path: Path) -> None:
    curve = followed(tmp_path / "e", event(1, loss=4.0), '{"stage": "B", "val\n', event(2, loss=2.0))
    assert curve.line("loss").y == (4.0, 2.0)


def test_it_changes_when_there_is_a_new_point_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "e"
    curve = followed(path, *(event(i, loss=1.0) for i in range(2 * MOST_POINTS)))
    versions, each = [curve.look()], curve.line("loss").each
    assert each == 2
    for line in (event(0), event(1001, loss=1.0), event(1002, loss=1.0), event(1003, loss=5.0)):
        with path.open("a") as file:
            file.write(line)
        versions.append(curve.look())
    with path.open("a") as file:
        file.write('{"time": 1, "state": "done", "message": "", "hint": ""}\n')
    assert curve.look() > versions[-1]
    assert curve.line("loss").y[-1] == pytest.approx(7 / 3)  # what makes no whole point is drawn at the end
    assert versions[0] == versions[1], "a count is no point"
    assert len(set(versions)) <= 3


def test_another_file_in_its_place_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "e"
    curve = followed(path, event(1, loss=4.0), event(2, loss=3.0))
    path.write_text(event(1, loss=9.0))
    curve.look()
    assert curve.line("loss").y == (9.0,)


def test_all_who_look_share_one_and_those_nobody_looks_at_go(tmp_path: Path) -> None:
    curves = Curves()
    first = curves.of(tmp_path / "first")
    assert curves.of(tmp_path / "first") is first
    for i in range(MOST_RUNS):
        curves.of(tmp_path / str(i))
    assert curves.of(tmp_path / "first") is not first


def test_a_run_without_events_has_no_curve(tmp_path: Path) -> None:
    assert Curve(tmp_path / "nothing").look() == 0
