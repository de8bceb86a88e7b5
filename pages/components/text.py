"""Names are text: what stands in a file is shown as it is written there, whatever it means in Markdown."""

from __future__ import annotations

import re

SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]()<>#$:|~&"})
"""Signs with a meaning anywhere in a line; a backslash takes it from them."""
JOINER = "\N{WORD JOINER}"
"""Has no width. Streamlit looks for addresses, arrows and icons in the text that is left after Markdown was read, where
no backslash helps: a joiner within them keeps them from being found."""
FOUND_LATER = re.compile(
    r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=[-.\w+])(?=@)"  # addresses
    r"|(?<=-)(?=[->])|(?<=<)(?=[-=])|(?<=[>~])(?==)"  # arrows, dashes, comparisons
    r"|(?<=:)(?=material/|streamlit:)",  # icons
    re.IGNORECASE,
)
BEGINS_A_BLOCK = re.compile(r"^ ?(?:\d+(?=\.(?: |$))|(?=[-+=]))")
"""Where a list, or a line under a heading, would begin."""


def escaped(text: str) -> str:
    r"""Make a text safe for Markdown: it reads as it is written, in one line, and is no link, icon or picture.

    Examples
    --------
    >>> escaped("T cell (CD4+)"), escaped("![i](x)"), escaped("- 1 & 2")
    ('T cell \\(CD4+\\)', '!\\[i\\]\\(x\\)', '\\- 1 \\& 2')
    >>> escaped("www.example.org") == "www\N{WORD JOINER}.example.org"
    True
    """
    line = FOUND_LATER.sub(JOINER, re.sub(r"\s+", " ", text)).translate(SIGNS)
    return BEGINS_A_BLOCK.sub(lambda found: f"{found[0]}\\", line)
