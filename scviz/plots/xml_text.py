"""Names in files of XML: no parser takes a control character, whatever is escaped around it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for: https://www.w3.org/TR/xml/#charsets."""
PICTURES = 0x2400
"""Unicode has a picture for each control character, from here on."""


def xml_text(text: str) -> str:
    r"""Show control characters by their pictures, and mark what no text may hold, so that names stay told apart.

    Examples
    --------
    >>> xml_text("T\x00 cell\x0b"), xml_text("T & B]]>"), xml_text("\ud800")
    ('T␀ cell␋', 'T & B]]>', '�')
    """
    return FORBIDDEN.sub(_shown, text)


def saved(paper: Figure, kind: str) -> bytes:
    """Save a figure of matplotlib as a file that every program of its kind can open."""
    file = io.BytesIO()
    paper.savefig(file, format=kind, dpi=300)
    return xml_text(file.getvalue().decode()).encode() if kind == "svg" else file.getvalue()


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(PICTURES + code) if code < ord(" ") else "\ufffd"
