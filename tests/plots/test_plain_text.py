"""Names in figures are text; what the browser gets is what plotly itself would have made of them."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from scviz.plots.calibration import abstaining_figure
from scviz.plots.confusion import confusion_figure
from scviz.plots.plain_text import _escaped, as_text

NAMES = ("<b>T</b> & B", "up\ndown", '<a href="http://evil">x</a>')
AT = np.linspace(0, 1, 3)
FIGURES = {
    "confusion": confusion_figure(np.diag([3, 2, 1]), NAMES, clickable=True),
    "abstaining": abstaining_figure(AT, AT, np.stack([AT, AT], axis=1), thresholds=AT, dark=True),
    "title": go.Figure(go.Bar(x=list(NAMES), y=AT, name=NAMES[0]), {"title": {"text": NAMES[1]}}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_the_figure_that_plotly_makes_of_the_escaped_texts(name: str) -> None:
    plain = FIGURES[name].to_plotly_json()
    checked = go.Figure(data=_escaped(plain["data"]), layout=_escaped(plain["layout"]))
    own, expected = (json.loads(plotly.io.to_json(one)) for one in (as_text(FIGURES[name]), checked))
    assert own == expected
    assert "<a" not in json.dumps(own)


def test_the_figure_itself_stays_as_it_was() -> None:
    before = FIGURES["confusion"].to_json()
    as_text(FIGURES["confusion"])
    assert FIGURES["confusion"].to_json() == before
