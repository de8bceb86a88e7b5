"""Numbers of many lines of text at once: zeros, which most are, are found without being read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pyarrow import ArrowInvalid, float64
from pyarrow.csv import ConvertOptions, ReadOptions, read_csv

from scviz.datasets.arriving.table_layout import DECIMAL_COMMA, NO_VALUE, Layout, fields
from scviz.errors import UnreadableFileError
from scviz.metrics.evidence import counted

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BLANKS = re.compile(rb"[ \t]+")


@dataclass(slots=True, kw_only=True)
class Reading:
    """Rows that were read so far."""

    layout: Layout
    name: str
    """Of the file."""
    lead: list[list[str]] = field(default_factory=list)
    """Fields before the values, for each row."""
    trail: list[list[str]] = field(default_factory=list)
    """Fields after them."""
    n_missing: int = 0
    """Fields that say that there is no value."""

    def rows(self, lines: Sequence[bytes]) -> csr_matrix:
        """Read lines.

        Returns
        -------
        (n, K) values.

        Raises
        ------
        UnreadableFileError
            If a line has other fields than the header, or a field is no number.
        """
        from scipy.sparse import csr_matrix

        mark = self.layout.mark.encode()
        width = len(self.layout.names)
        first = len(self.lead)
        text = mark.join([self._values_of(line, mark) for line in lines]) + mark
        text = text if mark == b" " else text.replace(b" ", b"")
        places, values = self._parse(np.frombuffer(text, dtype=np.uint8), ord(mark), first)
        ends = np.searchsorted(places, np.arange(len(lines) + 1) * width)
        indices = (places - np.repeat(np.arange(len(lines)) * width, np.diff(ends))).astype(np.int32)
        return csr_matrix((values, indices, ends), shape=(len(lines), width))

    def _values_of(self, line: bytes, mark: bytes) -> bytes:
        """Return the part of a line that holds values, and remember the fields about it."""
        n_lead, n_trail, width = len(self.layout.lead), len(self.layout.trail), len(self.layout.names)
        if mark == b" ":
            line = BLANKS.sub(b" ", line.strip())
        *about, values = line.split(mark, n_lead)
        if n_trail:
            values, *trail = values.rsplit(mark, n_trail)
            about += trail
        if b'"' in line:
            if not all(map(_is_whole, about)):
                return self._by_the_book(line, mark)
            values = values.replace(b'"', b"")
        if values.endswith(mark) and values.count(mark) == width:
            values = values[:-1]
        if values.count(mark) != width - 1 or len(about) != n_lead + n_trail:
            return self._by_the_book(line, mark)
        texts = [one.strip().strip(b'"').decode("utf-8", "replace").strip() for one in about]
        self.lead.append(texts[:n_lead])
        self.trail.append(texts[n_lead:])
        return values

    def _by_the_book(self, line: bytes, mark: bytes) -> bytes:
        """Split a line whose quotes hide marks."""
        found = fields(line.decode("utf-8", "replace"), self.layout.mark)
        n_lead, width = len(self.layout.lead), len(self.layout.names)
        expected = n_lead + width + len(self.layout.trail)
        if len(found) == expected + 1 and found[-1] == "":
            found.pop()
        number = self.layout.n_skipped + len(self.lead) + 1
        if len(found) != expected:
            raise UnreadableFileError(
                f"Line {number:,} of {self.name} has {counted(len(found), 'field')}, and the header stands for "
                f"{expected:,}.",
                hint="Is the file cut off, or a name without quotes split in two? Write it anew.",
            )
        self.lead.append(found[:n_lead])
        self.trail.append(found[n_lead + width :])
        values = found[n_lead : n_lead + width]
        for one in values:
            if DECIMAL_COMMA.fullmatch(one):
                raise self._no_number(one, number)
        return mark.join(one.encode() for one in values)

    def _no_number(self, text: str, number: int) -> UnreadableFileError:
        if DECIMAL_COMMA.fullmatch(text):
            return UnreadableFileError(
                f"Line {number:,} of {self.name} holds {text!r}, a number with a comma in it.",
                hint="Write it anew with decimal points and without marks of thousands.",
            )
        return UnreadableFileError(
            f"Line {number:,} of {self.name} holds {text!r} where a number is expected.",
            hint="Leave out columns and rows that hold text, or move them to the left or top.",
        )

    def _parse(
        self, text: NDArray[np.uint8], mark: int, first: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the number and value of each field (F,) that is not zero."""
        ends = np.flatnonzero(text == mark)  # (F,)
        starts = np.empty_like(ends)
        starts[0], starts[1:] = 0, ends[:-1] + 1
        lengths = ends - starts
        begin = text[starts]
        single = lengths == 1
        zero = single & (begin == ord("0"))
        digit = single & (begin > ord("0")) & (begin <= ord("9"))
        values = np.zeros(len(ends), dtype=np.float64)
        values[digit] = begin[digit] - ord("0")
        strange = ~zero & ~digit & ~_like_a_number(begin, lengths)
        for at in np.flatnonzero(strange).tolist():
            values[at] = self._strange(
                text[starts[at] : ends[at]].tobytes(), first + at // len(self.layout.names)
            )
        others = ~zero & ~digit & ~strange
        if others.any():
            values[others] = self._longer(text, np.stack([starts, ends])[:, others], mark=mark, first=first)
        places = np.flatnonzero(values != 0)
        return places, values[places]

    def _strange(self, field_: bytes, row: int) -> float:
        """Read a field that does not begin like a number."""
        word = field_.decode("utf-8", "replace").strip()
        if word.lower() in NO_VALUE:
            self.n_missing += 1
            return 0.0
        try:
            return float(word)
        except ValueError:
            raise self._no_number(word, self.layout.n_skipped + row + 1) from None

    def _longer(
        self, text: NDArray[np.uint8], bounds: NDArray[np.int64], *, mark: int, first: int
    ) -> NDArray[np.float64]:
        """Read fields (2, M) of several letters."""
        lengths = bounds[1] - bounds[0] + 1
        offsets = np.repeat(bounds[0] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        inside = text[offsets + np.arange(len(offsets))]
        inside = np.where(inside == mark, ord("\n"), inside).astype(np.uint8)
        try:
            return _column_of_numbers(inside.tobytes())
        except ArrowInvalid:
            for start, end in bounds.T.tolist():
                row = first + int(np.count_nonzero(text[:start] == mark)) // len(self.layout.names)
                self._strange(text[start:end].tobytes(), row)
            raise


def _column_of_numbers(text: bytes) -> NDArray[np.float64]:
    """Read numbers (M,), one a line."""
    options = {
        "read_options": ReadOptions(use_threads=False, column_names=["value"], block_size=len(text) + 1),
        "convert_options": ConvertOptions(column_types={"value": float64()}, null_values=[]),
    }
    values: NDArray[np.float64] = read_csv(BytesIO(text), **options).column(0).to_numpy()
    return values


def _is_whole(text: bytes) -> bool:
    """Tell whether quotes, if any, stand around a field and not within it."""
    text = text.strip()
    return b'"' not in text or (len(text) > 1 and text[:1] == text[-1:] == b'"' and b'"' not in text[1:-1])


def _like_a_number(begin: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which fields (F,) begin with a digit, a sign or a point, and hold something."""
    digit = (begin >= ord("0")) & (begin <= ord("9"))
    like: NDArray[np.bool_] = (lengths > 0) & (
        digit | (begin == ord("-")) | (begin == ord("+")) | (begin == ord("."))
    )
    return like
