"""Small print is read on light and dark pages: 4.5 to 1, as WCAG 2.2 asks of text."""

from __future__ import annotations

import re
import tomllib

import pytest

from scviz.plots.theme import rgb
from scviz.settings import ROOT

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
CAPTION = 0.6
"""Share of the text's color in captions of Streamlit."""
LEAST = 4.5


def luminance(color: tuple[float, ...]) -> float:
    shares = [part / 255 for part in color]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(share: float, text: str, page: str) -> float:
    """Of a text that is so opaque."""
    front, back = rgb(text), rgb(page)
    seen = tuple(share * one + (1 - share) * other for one, other in zip(front, back, strict=True))
    light, dark = sorted((luminance(seen), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("page", ["backgroundColor", "secondaryBackgroundColor"])
def test_captions_are_read(mode: str, page: str) -> None:
    colors = THEME[mode]
    assert contrast(CAPTION, colors["textColor"], colors[page]) >= LEAST


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("file", ["map/style.js", "gene_search/search.js"])
def test_faded_text_of_the_map_and_the_search_is_read(mode: str, file: str) -> None:
    style = (ROOT / "assets" / file).read_text("utf-8")
    faded = [float(share) for share in re.findall(r"opacity: (0?\.\d+)", style)]
    assert faded
    colors = THEME[mode]
    assert all(contrast(share, colors["textColor"], colors["backgroundColor"]) >= LEAST for share in faded)
