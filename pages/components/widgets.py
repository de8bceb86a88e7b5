"""Widgets made from the declared fields of a Request; a page says only where each one stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, count
from typing import Any, TypeVar, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_tab_container import TabContainer

from pages.components import state
from pages.components.question_link import linked_question
from pages.components.text import escaped
from scviz.tasks.fields import Choice, Column, Declared, Number, declared
from scviz.workspace.database import Run

Word = TypeVar("Word", bound=str)


def one_of(label: str, names: Mapping[Word, str], *, key: str) -> Word:
    """Let the user switch between a few words, each with its name; the first to begin with, and always one.

    Parameters
    ----------
    label
        For screen readers.
    """
    if state.held(key) not in names:
        state.preset(key, next(iter(names)))
    chosen = st.segmented_control(
        label,
        list(names),
        required=True,
        format_func=lambda word: escaped(names[word]),
        key=key,
        label_visibility="collapsed",
    )
    return next(iter(names)) if chosen is None else chosen


def tabs(names: Sequence[str], *, key: str) -> Sequence[TabContainer]:
    """Draw tabs; the open one stands in the address, unless it is the first."""
    return st.tabs(names, key=key, bind="query-params")


def told_apart(options: Iterable[Word], words: Callable[[Word], str]) -> Callable[[Word], str]:
    """Return what each option is called, with a number behind where several have one name, the last without.

    The browser hands back the name of what is chosen, and the first option of that name would be taken.

    Examples
    --------
    >>> words = told_apart(["c", "b", "a"], {"a": "spleen", "b": "blood", "c": "spleen"}.__getitem__)
    >>> words("c"), words("b"), words("a")
    ('spleen (2)', 'blood', 'spleen')
    """
    names: dict[Word, str] = {}
    taken: set[str] = set()
    for option in reversed(list(options)):
        name = words(option)
        numbered = (f"{name} ({number})" for number in count(2))
        names[option] = next(one for one in chain([name], numbered) if one not in taken)
        taken.add(names[option])
    return lambda option: names.get(option) or words(option)


def pick(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    first: str = "",
    words: Callable[[str], str] = str,
    help: str | None = None,
) -> str:
    """Draw a choice that outlives the page; `first` to begin with, or the first option, and where the held one is gone.

    Parameters
    ----------
    words
        What an option is called.
    """
    if state.held(key) not in options:
        state.preset(key, first if first in options else options[0])
    chosen: str = st.selectbox(
        label, options, format_func=told_apart(options, words), help=help, key=key, persist_state="session"
    )
    return chosen


class Form:
    """The question of a page: it begins as the question of the result beside it, and keeps what is chosen.

    Every widget has the key `<task>_<field>`.
    """

    def __init__(self, request: type, task: str, run: Run | None = None) -> None:
        """Begin a form.

        Parameters
        ----------
        request
            The Request of the task.
        run
            The run whose result the page shows: the form is set to its question whenever another one is shown. A
            question that a link brings goes before it.
        """
        self._fields = declared(request)
        self._task = task
        linked = linked_question(task, request)
        self._asked: Mapping[str, Any] = linked or (run.request if run else {})
        shown = f"form_{task}"
        self.fresh = linked is not None or (run is not None and state.kept(shown) != run.id)
        """Whether a question is shown for the first time: widgets that a page draws itself are to be set, too."""
        if self.fresh:
            state.keep(shown, run.id if run else None)
            for name, one in self._fields.items():
                if name in self._asked:
                    state.preset(self.key(name), _on_page(one, self._asked[name]))

    def key(self, name: str) -> str:
        """Return the key of the widget of a field."""
        return f"{self._task}_{name}"

    def asked(self, name: str, default: Any = None) -> Any:
        """Return what the question of the result beside holds, for fields whose widgets a page draws itself."""
        return self._asked.get(name, default)

    def number(
        self,
        name: str,
        place: DeltaGenerator | None = None,
        *,
        value: float | None = None,
        disabled: bool = False,
    ) -> Any:
        """Draw a number, a share as percent; returns what the Request takes.

        Parameters
        ----------
        value
            To begin with; the default of the Request if it is left out.
        """
        one = self._fields[name]
        declared_as = cast(Number, one.field)
        kind = int if one.whole or declared_as.unit == "%" else float
        self._begin(name, _on_page(one, one.default if value is None else value))
        low = 0.0 if declared_as.automatic else _on_page(one, declared_as.low)
        shown = (place or st).number_input(
            escaped(_label(declared_as)),
            kind(low),
            kind(_on_page(one, declared_as.high)),
            step=kind(declared_as.step) if declared_as.step else None,
            format=declared_as.format,
            help=_help(declared_as),
            key=self.key(name),
            disabled=disabled,
            persist_state="session",
        )
        return _from_page(one, shown)

    def choice(
        self,
        name: str,
        place: DeltaGenerator | None = None,
        *,
        options: Sequence[str] | None = None,
        disabled: bool = False,
    ) -> Any:
        """Draw a choice between the declared words, or some of them."""
        one = self._fields[name]
        declared_as = cast(Choice, one.field)
        words = list(declared_as.names if options is None else options)
        first = str(one.default)
        return self._select(name, words, place, names=declared_as.names, first=first, disabled=disabled)

    def column(
        self,
        name: str,
        options: Sequence[str],
        place: DeltaGenerator | None = None,
        *,
        names: Mapping[str, str] | None = None,
        suggested: str = "",
        needed: bool = False,
        disabled: bool = False,
    ) -> str | None:
        """Draw a choice between columns, or other names that depend on the data or the model.

        Parameters
        ----------
        names
            What the page calls some of the options.
        suggested
            To begin with; the default of the Request if it is left out.
        needed
            Whether the page offers no "none", though the Request allows it.

        Returns
        -------
        None, or "" where that is the default, if none is chosen, which can be only if the Request allows it.
        """
        one = self._fields[name]
        may_lack = (one.optional or one.default == "") and not needed
        words = [*options, ""] if may_lack else list(options)
        shown = {"": cast(Column, one.field).none, **(names or {})}
        first = str(suggested or one.default or "")  # no column is "" among the words
        chosen = self._select(name, words, place, names=shown, first=first, disabled=disabled)
        return chosen or ("" if one.default == "" else None)

    def switch(
        self,
        name: str,
        place: DeltaGenerator | None = None,
        *,
        value: bool | None = None,
        disabled: bool = False,
    ) -> bool:
        """Draw a box to tick.

        Parameters
        ----------
        value
            To begin with; the default of the Request if it is left out.
        """
        one = self._fields[name]
        self._begin(name, bool(one.default if value is None else value))
        return (place or st).checkbox(
            one.field.label,
            help=one.field.help or None,
            key=self.key(name),
            disabled=disabled,
            persist_state="session",
        )

    def _select(
        self,
        name: str,
        words: list[str],
        place: DeltaGenerator | None,
        *,
        names: Mapping[str, str],
        first: str,
        disabled: bool,
    ) -> Any:
        one = self._fields[name]
        if words and state.held(self.key(name)) not in words:  # another dataset has other columns
            state.preset(self.key(name), first if first in words else words[0])
        return (place or st).selectbox(
            one.field.label,
            words,
            format_func=told_apart(words, lambda word: names.get(word, word)),
            help=one.field.help or None,
            key=self.key(name),
            disabled=disabled,
            persist_state="session",
        )

    def _begin(self, name: str, value: Any) -> None:
        """Give a first value, unless the session holds one."""
        if state.held(self.key(name)) is None:
            state.preset(self.key(name), value)


def _on_page(one: Declared, value: Any) -> Any:
    """Turn a value of a Request into that of its widget."""
    if value is None:
        return ""
    if isinstance(one.field, Number):
        if one.field.unit == "%":
            return round(100 * value)
        return int(value) if one.whole else float(value)
    return value


def _from_page(one: Declared, value: Any) -> Any:
    """Turn the value of a widget into that of a Request."""
    if isinstance(one.field, Number) and one.field.unit == "%":
        return value / 100
    return int(value) if one.whole else float(value)


def _label(field: Number) -> str:
    return f"{field.label} (%)" if field.unit == "%" else field.label


def _help(field: Number) -> str | None:
    automatic = f"0: {field.automatic}." if field.automatic else ""
    return f"{field.help} {automatic}".strip() or None
