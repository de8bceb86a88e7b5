from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.components.cell_map import MapLook, PairScale, cell_map, draw_message, store_message
from scviz.plots.pairs import pair_palette
from scviz.plots.points import category_palette, continuous_palette, quantize
from scviz.plots.selection import digest

APP = Path(__file__).parents[1] / "browser" / "map_app.py"
N = 100_000
RNG = np.random.default_rng(0)
POINTS = quantize(RNG.normal(size=(N, 2)))
CODES = RNG.integers(0, 256, N).astype(np.uint8)
LOOK = MapLook(palette=continuous_palette(), scale=(0.0, 3.0), title="INS", caption="UMAP")


def parts(message: bytes) -> tuple[dict[str, object], bytes]:
    end = 4 + int.from_bytes(message[:4], "little")
    return json.loads(message[4:end]), message[end:]


def test_coordinates_travel_as_four_bytes_a_cell() -> None:
    header, body = parts(store_message(POINTS))
    assert header == {"kind": "store", "points": digest(POINTS)}
    assert np.array_equal(np.frombuffer(body, "<u2").reshape(-1, 2), POINTS)


def test_names_travel_with_small_maps_only() -> None:
    header, _ = parts(store_message(POINTS[:2], ["a", "b"]))
    assert header["names"] == ["a", "b"]
    assert "names" not in parts(store_message(POINTS, ["a"] * N))[0]


def test_colors_of_the_least_orderly_map_take_one_byte_a_cell() -> None:
    message = draw_message("map", POINTS, CODES, look=LOOK, height=500, group="")
    header, body = parts(message)
    assert len(message) < N + 3000
    assert zlib.decompress(body) == CODES.tobytes()
    assert header["points"] == digest(POINTS)
    assert header["scale"] == [0.0, 3.0]
    assert base64.b64decode(str(header["palette"])) == continuous_palette().tobytes()


def test_cells_that_pass_the_filters_take_a_bit_each() -> None:
    passes = np.arange(N) % 3 == 0
    message = draw_message("map", POINTS, CODES, look=LOOK, height=500, group="", passes=passes)
    body = zlib.decompress(parts(message)[1])
    assert body[:N] == CODES.tobytes()
    assert np.array_equal(np.unpackbits(np.frombuffer(body[N:], np.uint8))[:N].astype(bool), passes)
    everything = draw_message("map", POINTS, CODES, look=LOOK, height=500, group="", passes=passes | True)
    assert len(zlib.decompress(parts(everything)[1])) == N


def test_two_values_at_once_are_named_with_their_ranges() -> None:
    pair = PairScale(names=("CD3E", "MS4A1"), scales=((0.0, 2.0), (0.0, 3.0)))
    look = MapLook(palette=pair_palette(), pair=pair)
    header, _ = parts(draw_message("map", POINTS, CODES, look=look, height=500, group=""))
    assert header["pair"] == {"names": ["CD3E", "MS4A1"], "scales": [[0.0, 2.0], [0.0, 3.0]], "levels": 15}
    assert pair.words == ("CD3E, 0 to 2", "MS4A1, 0 to 3")


def test_message_names_at_most_255_categories() -> None:
    look = MapLook(palette=category_palette(300), labels=[str(i) for i in range(300)])
    header, _ = parts(draw_message("map", POINTS, CODES, look=look, height=500, group=""))
    labels = header["labels"]
    assert isinstance(labels, list)
    assert len(labels) == 255


def test_colors_of_other_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="not of the same cells"):
        cell_map("map", POINTS[:3], CODES[:4], look=LOOK)


def test_page_with_a_map_runs_without_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAP_CELLS", "500")
    at = AppTest.from_file(str(APP), default_timeout=20).run()
    assert not at.exception
    at.selectbox(key="color_by").select("INS").run()
    assert not at.exception
    assert at.text[0].value == "The server sees 0 cells."
