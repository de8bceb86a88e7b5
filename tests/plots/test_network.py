"""Networks of genes: in the browser, and as files."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import networkx
import pytest

from scviz.networks.drawing import Drawing
from scviz.plots.export import Kind
from scviz.plots.network import NO_GROUP, draw_network, gene_sizes, group_colors, network_spec
from scviz.plots.network_file import graphml, links_csv, network_page
from scviz.plots.theme import MISSING, OKABE_ITO


def made(**more: object) -> Drawing:
    """Four genes: a regulator, two targets of its module, and one of no module with a strange name."""
    fields: dict[str, object] = {
        "genes": ("MYC", "TERT", "NCL", "A$1<b>"),
        "x": (0.0, 1.0, 0.5, 0.2),
        "y": (0.0, 0.25, 1.0, 0.5),
        "groups": ("Module 1", "Module 1", "Module 1", ""),
        "sources": (0, 0, 3),
        "targets": (1, 2, 0),
        "weights": (0.9, 0.5, 0.1),
        "directed": True,
        "rule": "All 4 genes and all 3 links.",
    }
    return Drawing(**(fields | more))  # type: ignore[arg-type]


def test_groups_have_colors_the_largest_first_and_genes_of_none_are_gray() -> None:
    assert group_colors(made()) == {"Module 1": OKABE_ITO[0], NO_GROUP: MISSING}
    two = made(groups=("b", "a", "a", "a"))
    assert group_colors(two) == {"a": OKABE_ITO[0], "b": OKABE_ITO[1]}
    assert group_colors(made(groups=("",) * 4)) == {}


def test_a_gene_with_more_links_is_larger() -> None:
    sizes = gene_sizes(made())  # 3, 1, 1 and 1 links
    assert sizes[0] > sizes[1] == sizes[2] == sizes[3]


@pytest.mark.parametrize("dark", [False, True])
def test_the_browser_draws_genes_at_their_places_and_links_between_them(*, dark: bool) -> None:
    spec = network_spec(made(), marked="TERT", dark=dark)
    (series,) = spec["series"]
    genes = {one["name"]: one for one in series["data"]}
    assert list(genes) == ["MYC", "TERT", "NCL", "A$1<b>"]
    assert genes["MYC"]["x"] < genes["NCL"]["x"] < genes["TERT"]["x"]
    assert genes["NCL"]["y"] < genes["TERT"]["y"] < genes["MYC"]["y"]  # ECharts counts from the top
    assert [(one["source"], one["target"]) for one in series["links"]] == [(0, 1), (0, 2), (3, 0)]
    assert [genes[name]["category"] for name in genes] == [0, 0, 0, 1]
    assert "borderWidth" in genes["TERT"]["itemStyle"]
    assert "borderWidth" not in genes["MYC"]["itemStyle"]
    assert spec["legend"]["data"] == ["Module 1", NO_GROUP]
    assert series["edgeSymbol"][1] == "arrow"
    assert network_spec(made(directed=False), dark=dark)["series"][0]["edgeSymbol"][1] == "none"
    assert "legend" not in network_spec(made(groups=("",) * 4), dark=dark)


def test_names_of_genes_are_text_in_what_hovers() -> None:
    (series,) = network_spec(made())["series"]
    hovers = [one["tooltip"]["formatter"] for one in (*series["data"], *series["links"])]
    assert "<b>A$1&lt;b&gt;</b><br>1 link drawn" in hovers
    assert "A$1&lt;b&gt; → MYC: 0.1" in hovers


def test_the_file_has_all_names_as_text() -> None:
    svg = draw_network(made(), "svg", footer="cells · seed 0 · $x$").decode()
    for text in ("MYC", "TERT", "NCL", "A$1&lt;b&gt;", "Module 1", "All 4 genes and all 3 links.", "$x$"):
        assert f">{text}<" in svg or text in svg


@pytest.mark.parametrize(("kind", "magic"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_other_files_are_drawn(kind: Kind, magic: bytes) -> None:
    assert draw_network(made(), kind).startswith(magic)


def test_graphml_keeps_genes_groups_places_and_weights(tmp_path: Path) -> None:
    path = tmp_path / "network.graphml"
    path.write_bytes(graphml(made()))
    graph = networkx.read_graphml(path)
    assert graph.is_directed()
    assert set(graph) == {"MYC", "TERT", "NCL", "A$1<b>"}
    assert graph.nodes["TERT"]["group"] == "Module 1"
    assert graph.nodes["TERT"]["x"] > graph.nodes["NCL"]["x"]
    assert graph.edges["MYC", "NCL"]["weight"] == 0.5
    path.write_bytes(graphml(made(directed=False)))
    assert not networkx.read_graphml(path).is_directed()


def test_links_are_a_table() -> None:
    rows = list(csv.reader(io.StringIO(links_csv(made()).decode())))
    assert rows == [
        ["source", "target", "weight"],
        ["MYC", "TERT", "0.9"],
        ["MYC", "NCL", "0.5"],
        ["A$1<b>", "MYC", "0.1"],
    ]


class Loaded(HTMLParser):
    """Collect what a browser would fetch for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href", "data") and value]


def test_the_page_to_take_away_loads_nothing_and_holds_the_genes() -> None:
    page = network_page(made(), title="cells <i>").decode()
    reader = Loaded()
    reader.feed(page)
    assert reader.addresses == []
    styles = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]{0,30})", page)
    assert all(style.startswith("data:") for style in styles)
    assert "cells &lt;i&gt;" in page
    assert "All 4 genes and all 3 links." in page
    for gene in ("MYC", "TERT", "NCL"):
        assert f'"id": "{gene}"' in page
    assert "A$1<b>" not in page


def test_genes_of_the_page_stay_where_they_are() -> None:
    page = network_page(made(), title="cells").decode()
    assert re.search(r'"physics": \{\s*"enabled": false', page)
    assert re.search(r'"id": "MYC"[^}]*"x": 0', page)
