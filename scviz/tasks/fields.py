"""What a number or a choice of a question may be, declared once, on the Request.

    n_random: Annotated[int, Number("Random genes", 5, 1000, help="...")] = 20

The check of a Request, the widget on a page and the option of a command are all made from this line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from numbers import Integral, Real
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NoReturn,
    TypeAlias,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from scviz.errors import RequestError

if TYPE_CHECKING:
    from scviz.workspace import DatasetInfo


@dataclass(frozen=True, slots=True)
class Number:
    """A whole or a broken number between two bounds, both allowed."""

    label: str
    low: float
    high: float
    _: dataclasses.KW_ONLY
    unit: str = ""
    """Stands behind the number, such as "cells"; "%" shows a share from 0 to 1 as percent."""
    help: str = ""
    advanced: bool = False
    """Whether the page keeps it under Advanced; for the reader of the declaration, pages lay themselves out."""
    step: float | None = None
    format: str | None = None
    """How a page writes it, as printf does."""
    automatic: str = ""
    """What 0 means where 0, outside the bounds, lets scviz choose, such as "suits the mode"."""

    @property
    def bounds(self) -> str:
        """Write what is allowed, such as "5 to 1,000"."""
        text = f"{_written(self.low, self.unit)} to {_written(self.high, self.unit)}"
        named = f"{text} {self.unit}" if self.unit not in ("", "%") else text
        return f"{named}, or 0 ({self.automatic})" if self.automatic else named

    def check(self, value: Any, *, whole: bool) -> None:
        """Refuse what is no number or lies outside the bounds.

        Raises
        ------
        RequestError
            Which names the field, what is allowed and what was given.
        """
        if not _is_number(value):
            self._refuse(repr(value))
        if whole and not isinstance(value, Integral):
            self._refuse(repr(value), "a whole number, ")
        if not (self.low <= value <= self.high or (self.automatic and value == 0)):
            self._refuse(_written(value, self.unit))

    def _refuse(self, got: str, kind: str = "") -> NoReturn:
        raise RequestError(
            f"{self.label} must be {kind}{self.bounds} (got {got}).", hint="Choose another value."
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, each with its name on a page."""

    label: str
    names: Mapping[str, str] = field(hash=False)
    """By word."""
    _: dataclasses.KW_ONLY
    help: str = ""
    advanced: bool = False

    @property
    def bounds(self) -> str:
        """Write what is allowed."""
        return ", ".join(name or "(empty)" for name in self.names)

    def check(self, value: Any) -> None:
        """Refuse any other word.

        Raises
        ------
        RequestError
            Which names the field, what is allowed and what was given.
        """
        if not isinstance(value, str) or value not in self.names:
            raise RequestError(
                f"{self.label} must be one of {self.bounds} (got {value!r}).", hint="Choose one of these."
            )


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no."""

    label: str
    _: dataclasses.KW_ONLY
    help: str = ""
    advanced: bool = False

    bounds = "yes or no"

    def check(self, value: Any) -> None:
        """Refuse what is neither.

        Raises
        ------
        RequestError
            Which names the field, what is allowed and what was given.
        """
        if not isinstance(value, bool):
            raise RequestError(
                f"{self.label} must be {self.bounds} (got {value!r}).", hint="Choose one of them."
            )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the dataset, or any other name that only the data can check; None or empty for none."""

    label: str
    _: dataclasses.KW_ONLY
    help: str = ""
    advanced: bool = False
    none: str = "none"
    """What stands for no column."""
    kinds: tuple[str, ...] = ()
    """Kinds of columns of which page and command begin with the first, in this order; empty to begin with none."""


SEED = Number("Seed", 0, 9999, help="The same seed gives the same numbers.", advanced=True)
FEW_GENES = Switch(
    "Run on few genes",
    help="A model that knows fewer than half of the genes of the dataset reads them only where this is said.",
)
"""Declared alike in every Request; the second where a model reads a dataset."""

NEIGHBORS = Number("Neighbors", 2, 200, help="More neighbors show the large shape of the map.")
SPACING = Number("Spacing", 0, 1, step=0.1, help="How far neighbors stand apart on the map.")
TYPE_KINDS = ("label", "category", "batch")
LABELS = Column("Column with known cell types", kinds=TYPE_KINDS)
MOST_GROUPS = 200
"""Columns with more different words are not suggested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a task cannot do without; `scviz.tasks.needs` holds requests to it."""

    cells: int = 1
    genes: int = 1
    lists: tuple[str, ...] = ()
    """Fields of its Request that name genes of the dataset; one of them at least must be there."""
    counts: str = ""
    """What it does with counts of molecules, which relative expression does not allow; empty if it needs none."""
    answer: tuple[str, ...] = ()
    """Arrays of its Result of which a value at least must be a number."""


Field: TypeAlias = Number | Choice | Switch | Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A field of a Request with what was declared of it."""

    name: str
    field: Field
    default: Any
    """`dataclasses.MISSING` where it must be given."""
    whole: bool
    """Whether it is a whole number."""
    optional: bool
    """Whether None is allowed."""

    def check(self, value: Any) -> None:
        """Refuse a value that is not allowed.

        Raises
        ------
        RequestError
            Which names the field, what is allowed and what was given.
        """
        if isinstance(self.field, Column) or (self.optional and value is None):
            return
        if isinstance(self.field, Number):
            self.field.check(value, whole=self.whole)
        else:
            self.field.check(value)


def _declared(request: type) -> Mapping[str, Declared]:
    """Return the declared fields of a Request, by name, in its order."""
    hints = get_type_hints(request, include_extras=True)
    found = {}
    for one in dataclasses.fields(request):
        hint = hints[one.name]
        if get_origin(hint) is not Annotated:
            continue
        kind, *extras = get_args(hint)
        of_ours = [extra for extra in extras if isinstance(extra, Number | Choice | Switch | Column)]
        if of_ours:
            kinds = get_args(kind) or (kind,)
            found[one.name] = Declared(
                name=one.name,
                field=of_ours[0],
                default=one.default,
                whole=int in kinds and float not in kinds,
                optional=type(None) in kinds,
            )
    return found


declared: Callable[[type], Mapping[str, Declared]] = cache(_declared)


def suggested(request: type, name: str, dataset: DatasetInfo) -> str:
    """Name the column of a dataset that page and command begin with; empty for none."""
    kinds = cast(Column, declared(request)[name].field).kinds
    found = (one for kind in kinds for one in dataset.columns_of(kind))
    return next((one for one in found if dataset.column(one).n_values <= MOST_GROUPS), "")


def check_fields(request: Any) -> None:
    """Check every declared field of a request; its `__post_init__` begins with this.

    Numbers become Python's own, whole or broken as declared: 1 and 1.0, or numpy's, ask the same question.

    Raises
    ------
    RequestError
        For the first value that is not allowed, with the field, what is allowed and the value in the message.
    """
    for name, one in declared(type(request)).items():
        value = getattr(request, name)
        one.check(value)
        if isinstance(one.field, Number) and value is not None:
            object.__setattr__(request, name, int(value) if one.whole else float(value))


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all bounds
        return False


def _written(value: float, unit: str = "") -> str:
    """Write a number.

    Examples
    --------
    >>> _written(5001), _written(0.05, "%"), _written(1e-6)
    ('5,001', '5 %', '1e-06')
    """
    if unit == "%":
        return f"{100 * value:g} %"
    return f"{int(value):,}" if math.isfinite(value) and value == int(value) else f"{value:g}"
