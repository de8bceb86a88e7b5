"""Read an expression that chooses cells, such as `CD3E > 1 and (CD8A > 0 or not cell_type == "B cell")`.

    either     = both { "or" both }
    both       = one { "and" one }
    one        = "not" one | "(" either ")" | comparison
    comparison = name sign value

A name is that of a gene or of a column, a value a number or a word; both stand in quotes where they hold a blank.
Nothing is carried out: a text becomes a tree, which `cells_where` looks up in the data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from scviz.errors import RequestError
from scviz.metrics.evidence import counted

SIGNS = ("==", "!=", ">=", "<=", ">", "<")
WORDS = ("and", "or", "not")
MOST_LETTERS = 5_000
MOST_NESTED = 50
SUCH = 'Write it such as CD3E > 1 and (CD8A > 0 or cell_type == "B cell").'

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*'|`[^`]*`)|(?P<sign>[=!<>]=|[=<>])|(?P<bracket>[()])|"""
    r"""(?P<word>[^\s()<>=!"'`]+))"""
)
PLAIN_QUOTES = str.maketrans("\u201c\u201d\u201e\u2018\u2019", '"""\'\'')


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A gene or a column compared with a value."""

    name: str
    sign: str
    """One of SIGNS."""
    value: str
    """As it was written, without quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """What does not hold."""

    part: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """What holds together."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """What holds in one part at least."""

    parts: tuple[Query, ...]


Query: TypeAlias = Comparison | Not | Both | Either


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    """Without quotes."""
    kind: str
    """quoted, sign, bracket, word, or end."""

    @property
    def keyword(self) -> str:
        """And, or, not, a bracket; empty for all else."""
        if self.kind == "bracket":
            return self.text
        return self.text.lower() if self.kind == "word" and self.text.lower() in WORDS else ""

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def read_query(text: str) -> Query:
    """Read an expression.

    Raises
    ------
    RequestError
        If it cannot be read, with the place.

    Examples
    --------
    >>> read_query("not CD3E > 1")
    Not(part=Comparison(name='CD3E', sign='>', value='1'))
    """
    if not text.strip():
        raise RequestError("The expression for the cells is empty.", hint=SUCH)
    if len(text) > MOST_LETTERS:
        raise RequestError(
            f"The expression has {counted(len(text), 'letter')}; {MOST_LETTERS:,} are read at most.",
            hint="Name groups of cells on the map instead.",
        )
    reader = _Reader(_tokens(text.translate(PLAIN_QUOTES)))
    query = reader.either(0)
    reader.end()
    return query


def names_in(query: Query) -> tuple[str, ...]:
    """Return the names of genes and columns in a tree, in their order.

    Examples
    --------
    >>> names_in(read_query('CD3E > 1 and not gene:CD8A > 0'))
    ('CD3E', 'gene:CD8A')
    """
    if isinstance(query, Comparison):
        return (query.name,)
    parts = (query.part,) if isinstance(query, Not) else query.parts
    return tuple(dict.fromkeys(name for part in parts for name in names_in(part)))


def _tokens(text: str) -> list[_Token]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()
            why = "a quote is not closed" if rest[:1] in "\"'`" else f"{rest[:1]!r} is not understood"
            raise RequestError(f"The expression cannot be read at {rest[:20]!r}: {why}.", hint=SUCH)
        kind, whole = str(match.lastgroup), match[str(match.lastgroup)]
        found.append(_Token(text=whole[1:-1] if kind == "quoted" else whole, kind=kind))
        at = match.end()
    return [*found, _Token(text="", kind="end")]


class _Reader:
    """Goes through tokens from left to right."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at = tokens, 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.now
        self.at += 1
        return token

    def either(self, depth: int) -> Query:
        parts = [self.both(depth)]
        while self.now.keyword == "or":
            self.take()
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Either(parts=tuple(parts))

    def both(self, depth: int) -> Query:
        parts = [self.one(depth)]
        while self.now.keyword == "and":
            self.take()
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Both(parts=tuple(parts))

    def one(self, depth: int) -> Query:
        if depth > MOST_NESTED:
            raise RequestError(
                f"The expression is nested more than {MOST_NESTED} times.",
                hint="Write it with fewer brackets.",
            )
        if self.now.keyword == "not":
            self.take()
            return Not(part=self.one(depth + 1))
        if self.now.keyword != "(":
            return self.comparison()
        self.take()
        inner = self.either(depth + 1)
        if self.now.keyword != ")":
            self.refuse("a closing bracket")
        self.take()
        return inner

    def comparison(self) -> Comparison:
        if self.now.kind not in ("word", "quoted") or self.now.keyword:
            self.refuse("a gene or a column")
        name = self.take().text
        sign = "==" if self.now.text == "=" else self.now.text
        if self.now.kind != "sign" or sign not in SIGNS:
            self.refuse(f"one of {' '.join(SIGNS)} after {name!r}")
        self.take()
        if self.now.kind not in ("word", "quoted") or self.now.keyword:
            self.refuse(f"a value after {name} {sign}")
        return Comparison(name=name, sign=sign, value=self.take().text)

    def end(self) -> None:
        if self.now.kind != "end":
            self.refuse("and, or, or the end; names and values that hold a blank stand in quotes")

    def refuse(self, wanted: str) -> NoReturn:
        raise RequestError(
            f"The expression cannot be read at {self.now.shown}: there should be {wanted}.", hint=SUCH
        )
