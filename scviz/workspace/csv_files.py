"""Tables as CSV: every cell reads as what it is, and none is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from io import StringIO
from numbers import Real
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes a text that begins so for a formula, which may call a program or another host."""


class CsvWriter:
    """Writes rows; takes the place of `csv.writer`."""

    def __init__(self, file: TextIO, *, lineterminator: str = "\r\n") -> None:
        self._rows = csv.writer(file, lineterminator=lineterminator)

    def writerow(self, row: Iterable[Any]) -> None:
        """Write a row."""
        self._rows.writerow([guarded(value) for value in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write several."""
        for row in rows:
            self.writerow(row)


def guarded(value: Any) -> Any:
    """Put an apostrophe before a text that would be a formula; numbers stay as they are, also as texts; NaN is empty.

    Examples
    --------
    >>> guarded("=HYPERLINK(A1)"), guarded("-0.5"), guarded(-0.5), guarded("CD4+ T"), guarded("-")
    ("'=HYPERLINK(A1)", '-0.5', -0.5, 'CD4+ T', '-')
    >>> guarded(float("nan"))
    ''
    """
    if not isinstance(value, str):
        return "" if isinstance(value, Real) and math.isnan(value) else value
    text = value.replace("\r", "\n")  # unquoted, it would end the row to a spreadsheet
    if not text.startswith(FORMULA) or text in ("+", "-") or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text


def csv_text(rows: Iterable[Iterable[Any]], *, lineterminator: str = "\n") -> str:
    """Write rows, of which the first names the columns."""
    text = StringIO()
    CsvWriter(text, lineterminator=lineterminator).writerows(rows)
    return text.getvalue()


def frame_csv(frame: pd.DataFrame) -> str:
    """Write a table without its index."""
    plain = frame.copy(deep=False)
    for at, kind in enumerate(frame.dtypes):
        if getattr(kind, "kind", "O") not in "biufM":
            plain.isetitem(at, frame.iloc[:, at].astype(object).map(guarded))
    plain.columns = [guarded(name) for name in frame.columns]
    return str(plain.to_csv(index=False))
