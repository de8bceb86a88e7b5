"""Options of a command, made from the declared fields of its Request."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, cast

from scviz.errors import RequestError
from scviz.tasks.fields import Choice, Column, Declared, Number, Switch, declared, suggested
from scviz.workspace import DatasetInfo

NONE = "none"
"""Stands for no column on the command line."""


def add_fields(
    parser: argparse.ArgumentParser, request: type, *names: str, without: tuple[str, ...] = ()
) -> None:
    """Offer declared fields of a request as options, with the request's own defaults, bounds and help.

    Parameters
    ----------
    names
        Which; all declared fields if none is named.
    without
        Of all, those that the command offers in its own way.
    """
    known = declared(request)
    for name in names or [name for name in known if name not in without]:
        _add(parser, known[name])


def begin_as_the_page(options: argparse.Namespace, request: type, dataset: DatasetInfo) -> None:
    """Choose the columns that the page of a task begins with where no option names one; "none" means none."""
    columns = {name: one for name, one in declared(request).items() if isinstance(one.field, Column)}
    for name, one in columns.items():
        if cast(Column, one.field).kinds and hasattr(options, name):
            taken = {getattr(options, other, "") for other in columns}
            setattr(
                options,
                name,
                _column(getattr(options, name), one, suggested(request, name, dataset), taken=taken),
            )


def _column(named: str | None, one: Declared, found: str, *, taken: set[str | None]) -> str | None:
    """Return the column that is named, else the one that was found unless it is taken, else none."""
    if named == NONE or (not named and (not found or found in taken)):
        return cast("str | None", one.default)
    return named or found


def _add(parser: argparse.ArgumentParser, one: Declared) -> None:
    option, field = f"--{one.name.replace('_', '-')}", one.field
    required = one.default is MISSING
    rest: dict[str, Any] = {"required": True} if required else {"default": one.default}
    lead = _sentence(field.label, field.help)
    if isinstance(field, Switch):
        parser.add_argument(option, action=argparse.BooleanOptionalAction, help=_percent(lead), **rest)
        return
    default = "" if required or one.default in (None, "") else f"; default {_shown(one)}"
    if isinstance(field, Column) and field.kinds:
        default = (
            f" The first column of the kind {' or '.join(field.kinds)} unless one is named; {NONE} for none."
        )
    bounds = "" if isinstance(field, Column) else f" {field.bounds}"
    parser.add_argument(
        option, type=_read(one), metavar=_metavar(one), help=_percent(f"{lead}{bounds}{default}"), **rest
    )


def _read(one: Declared) -> Callable[[str], Any]:
    """Turn the text of an option into a checked value."""

    def read(text: str) -> Any:
        value: Any = text
        if isinstance(one.field, Number):
            try:
                value = int(text) if one.whole else float(text)
            except ValueError:
                value = text
        try:
            one.check(value)
        except RequestError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return read


def _metavar(one: Declared) -> str:
    if isinstance(one.field, Choice):
        return "{" + ",".join(name for name in one.field.names if name) + "}"
    return "N" if isinstance(one.field, Number) else "NAME"


def _shown(one: Declared) -> str:
    unit = one.field.unit if isinstance(one.field, Number) else ""
    return (
        f"{one.default:g}" + (f" ({100 * one.default:g} %)" if unit == "%" else "")
        if isinstance(one.default, int | float)
        else str(one.default)
    )


def _sentence(label: str, help_: str) -> str:
    return f"{label}. {help_}".strip() if help_ else f"{label}."


def _percent(text: str) -> str:
    return text.replace("%", "%%")  # argparse fills in help texts
