"""Names with markup and control characters in files to take away: every parser reads them back, and nothing runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace
from xml.etree import ElementTree

import networkx
import numpy as np
import plotly.graph_objects as go
import pytest

from scviz.networks.drawing import Drawing
from scviz.plots.export import draw
from scviz.plots.map_file import draw_map
from scviz.plots.network import draw_network
from scviz.plots.network_file import graphml, network_page
from scviz.plots.xml_text import xml_text
from scviz.tasks.modules.files import graphml as of_result

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # no font has control characters

HOSTILE = (
    "A\x00B\x0bC",
    "]]>",
    "<script>alert(1)</script>",
    "</text></svg><script xmlns='http://www.w3.org/2000/svg'>alert(1)</script>",
    "--><!-- & &amp; &#0; <!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]> &x;",
    "<![CDATA[x]]><?xml version='1.0'?>",
    "a\tb\nc \x1b[31m \x7f \uffff",
)
SHOWN = tuple(xml_text(name) for name in HOSTILE)
SVG = "{http://www.w3.org/2000/svg}"


def hostile() -> Drawing:
    """A network of nothing but such names."""
    n = len(HOSTILE)
    return Drawing(
        genes=HOSTILE,
        x=tuple(i / n for i in range(n)),
        y=tuple((i * i % n) / n for i in range(n)),
        groups=HOSTILE[1:] + HOSTILE[:1],
        sources=tuple(range(n - 1)),
        targets=tuple(range(1, n)),
        weights=tuple(1.0 - i / n for i in range(n - 1)),
        directed=True,
        rule=HOSTILE[2],
    )


def of_map() -> bytes:
    return draw_map(
        np.random.default_rng(0).integers(0, 60_000, (70, 2)).astype(np.uint16),
        codes=(np.arange(70) % len(HOSTILE) + 1).astype(np.uint8),
        palette=np.full((256, 4), 200, dtype=np.uint8),
        kind="svg",
        labels=HOSTILE,
        title=HOSTILE[3],
        caption=HOSTILE[4],
    )


def of_bars() -> bytes:
    figure = go.Figure(go.Bar(x=[1.0] * len(HOSTILE), y=list(HOSTILE), orientation="h", name=HOSTILE[0]))
    return draw(figure.update_layout(title={"text": HOSTILE[2]}), "svg", footer=HOSTILE[3])


PICTURES: dict[str, Callable[[], bytes]] = {
    "map": of_map,
    "bars": of_bars,
    "network": lambda: draw_network(hostile(), "svg", footer=HOSTILE[3]),
}


@pytest.mark.parametrize("what", PICTURES)
def test_a_picture_is_whole_and_holds_the_names_as_text_and_no_script(what: str) -> None:
    tree = ElementTree.fromstring(PICTURES[what]())
    kinds = {one.tag for one in tree.iter()}
    assert f"{SVG}script" not in kinds
    assert not [name for one in tree.iter() for name in one.attrib if name.lower().startswith("on")]
    texts = " ".join("".join(one.itertext()) for one in tree.iter(f"{SVG}text"))
    words = " ".join(texts.split())
    for name in SHOWN[:6]:
        assert " ".join(name.split()) in words
    assert "\u2400" in words
    assert "root:" not in words


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_pictures_of_other_kinds_are_drawn_too(kind: str) -> None:
    assert len(draw_network(hostile(), kind)) > 1000  # type: ignore[arg-type]


def of_modules() -> bytes:
    """All links of a result of modules, as its page writes them."""
    drawing = hostile()
    names = [drawing.genes[i] for i in drawing.sources], [drawing.genes[i] for i in drawing.targets]
    links = SimpleNamespace(sources=names[0], targets=names[1], weights=np.array(drawing.weights))
    groups = dict(zip(drawing.genes, drawing.groups, strict=True))
    result = SimpleNamespace(genes=drawing.genes, edges=lambda: links, module_of=lambda: groups)
    return of_result(result).encode()  # type: ignore[arg-type]


NETWORKS: dict[str, Callable[[], bytes]] = {"drawn": lambda: graphml(hostile()), "of modules": of_modules}


@pytest.mark.parametrize("what", NETWORKS)
def test_a_network_to_take_away_reads_back_with_all_its_genes_and_links(what: str) -> None:
    content = NETWORKS[what]()
    graph = networkx.parse_graphml(content.decode())
    assert list(graph.nodes) == list(SHOWN)
    key = "group" if what == "drawn" else "module"
    assert [data[key] for _, data in graph.nodes(data=True)] == [*SHOWN[1:], SHOWN[0]]
    assert list(graph.edges) == list(pairwise(SHOWN))
    tree = ElementTree.parse(io.BytesIO(content))
    assert {one.tag.rpartition("}")[2] for one in tree.iter()} == {
        "graphml",
        "key",
        "graph",
        "node",
        "edge",
        "data",
    }


class Scripts(HTMLParser):
    """Counts the scripts of a page as a browser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += tag == "script"


def test_a_page_of_a_network_has_no_more_scripts_than_with_plain_names() -> None:
    counts = []
    plain = Drawing(
        **{name: getattr(hostile(), name) for name in Drawing.__slots__}
        | {"genes": tuple("ABCDEFG"), "groups": ("",) * 7, "rule": "All."}
    )
    for drawing in (plain, hostile()):
        parser = Scripts()
        parser.feed(network_page(drawing, title=drawing.rule).decode())
        counts.append(parser.found)
    assert counts[0] == counts[1] > 0
