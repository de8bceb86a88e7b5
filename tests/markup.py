"""Follow what pages hand to Streamlit as Markdown or HTML back to where it comes from.

A text is plain when it stands in the code, is a number, or passed a helper that escapes; a parameter is judged where
the function is called. What remains came from a file, a person or a message.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

Place = int | str
BODY: tuple[Place, ...] = (0, "body", "title", "text", "help")
LABEL: tuple[Place, ...] = (0, "label", "help")
OPTIONS: tuple[Place, ...] = (0, 1, "label", "options", "format_func", "captions", "help")
SINKS: dict[str, tuple[Place, ...]] = {
    **dict.fromkeys(("caption", "header", "html", "markdown", "subheader", "title"), BODY),
    **dict.fromkeys(("error", "info", "spinner", "success", "toast", "warning"), BODY),
    **dict.fromkeys(("badge", "button", "checkbox", "color_picker", "date_input", "download_button"), LABEL),
    **dict.fromkeys(("expander", "file_uploader", "form_submit_button", "link_button", "multiselect"), LABEL),
    **dict.fromkeys(("number_input", "popover", "selectbox", "slider", "status", "text_area"), LABEL),
    **dict.fromkeys(("text_input", "toggle"), LABEL),
    **dict.fromkeys(("menu_button", "pills", "radio", "segmented_control", "select_slider"), OPTIONS),
    **dict.fromkeys(("Column", "TextColumn", "NumberColumn", "CheckboxColumn", "ProgressColumn"), ("help",)),
    **dict.fromkeys(("dialog", "tabs"), (0, "tabs", "title")),
    "metric": (0, 1, 2, "label", "value", "delta", "help"),
    "page_link": ("label", "help"),
    "progress": (1, "text"),
    "table": (0, "data"),
    "image": ("caption",),
    "write": (0, 1, 2, 3),
}
"""Calls of Streamlit 1.67 and which arguments it reads as Markdown or HTML, by place and by name."""
HELPERS = {"escaped", "escape"}
NUMBERS = {
    "len",
    "int",
    "round",
    "float",
    "sum",
    "abs",
    "bool",
    "ordinal",
    "percent",
    "range",
    "duration",
    "in_words",
}
THROUGH = {
    "str",
    "list",
    "tuple",
    "sorted",
    "filter",
    "reversed",
    "set",
    "next",
    "iter",
    "min",
    "max",
    "zip",
    "enumerate",
}
METHODS = {
    "strip",
    "rstrip",
    "lstrip",
    "upper",
    "lower",
    "capitalize",
    "removesuffix",
    "removeprefix",
    "values",
}
METHODS |= {"keys", "items", "replace", "split", "partition", "rpartition", "get", "__getitem__", "format"}
OURS = {"page", "card", "metric", "declared_as", "field", "badges"}
"""Variables whose attributes are written in the code: pages, cards of models, definitions of scores and fields."""
Function = ast.FunctionDef | ast.Module


class Pages:
    """The code of all pages, and which parameters of their functions end as Markdown or HTML."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.trees = {file: ast.parse(file.read_text("utf-8")) for file in files}
        self.functions: dict[str, list[ast.FunctionDef]] = defaultdict(list)
        """By name; private ones by file and name."""
        for file, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    self.functions[known_as(node.name, file)].append(node)
        self.shown: dict[str, set[str]] = defaultdict(set)
        """Parameters that a function shows, by its name."""
        self.plain: dict[str, set[str]] = {}
        """Functions that return nothing but what is plain where some of their parameters are: these, by its name."""
        self._find_plain()

    def found(self) -> dict[str, str]:
        """Return what reaches Markdown or HTML unescaped, by file and line."""
        while True:
            before = sum(map(len, self.shown.values()))
            found = dict(self._raw())
            if sum(map(len, self.shown.values())) == before:
                return found

    def _find_plain(self) -> None:
        before = -1
        while len(self.plain) != before:
            before = len(self.plain)
            for name in self.functions.keys() - self.plain.keys():
                found = [self._returned(node, name.rpartition(":")[0]) for node in self.functions[name]]
                if None not in found:
                    self.plain[name] = set().union(*found)

    def _returned(self, function: ast.FunctionDef, file: str) -> set[str] | None:
        """Return the parameters that what it returns or yields is made of; None where that is not plain."""
        if ast.unparse(function.returns or ast.Constant(None)) in ("int", "float", "bool"):
            return set()
        given = [one for one in ast.walk(function) if isinstance(one, ast.Return | ast.Yield) and one.value]
        reading = Reading(self, function, file)
        return reading.parameters if given and reading.all_plain([one.value for one in given]) else None

    def _raw(self) -> Iterator[tuple[str, str]]:
        for file, tree in self.trees.items():
            for call, function in calls(tree):
                for argument in self._arguments(call, function, file):
                    reading = Reading(self, function, str(file))
                    plain = reading.plain(argument)
                    if isinstance(function, ast.FunctionDef):
                        self.shown[known_as(function.name, file)] |= reading.parameters
                    if not plain:
                        yield f"{file.name}:{argument.lineno}:{argument.col_offset}", ast.unparse(argument)

    def _arguments(self, call: ast.Call, function: Function, file: Path) -> Iterator[ast.expr]:
        """Return the arguments of a call that are shown."""
        called = call.func
        places: list[Place] = []
        if isinstance(called, ast.IfExp) or _is_box(called, function):  # (st.error if bad else st.info)(text)
            places += BODY
        elif isinstance(called, ast.Attribute):
            places += SINKS.get(called.attr, ())
        if isinstance(called, ast.Name) or (isinstance(called, ast.Attribute) and _of_state(called)):
            name = known_as(called.id if isinstance(called, ast.Name) else called.attr, file)
            places += self.places(name, self.shown[name])
        if any(one.arg == "format_func" for one in call.keywords):
            places = [one for one in places if one not in (1, "options")]
        yield from given_at(call, places)

    def places(self, name: str, parameters: set[str]) -> list[Place]:
        """Return where a call of a function has some of its parameters."""
        found: list[Place] = [*parameters]
        for function in self.functions.get(name, ()):
            order = [one.arg for one in function.args.args]
            found += [order.index(one) for one in parameters if one in order]
        return found


class Reading:
    """One look at an expression within a function."""

    def __init__(self, pages: Pages, function: Function, file: str) -> None:
        self.pages, self.function, self.file = pages, function, file
        self.parameters: set[str] = set()
        """Those of the function that the expression is made of."""
        self._open: set[str] = set()

    def plain(self, node: ast.AST | None) -> bool:
        """Tell whether all parts of an expression are plain."""
        read = getattr(self, f"_{type(node).__name__.lower()}", None)
        if read is not None:
            return bool(read(node))
        return node is None or isinstance(node, ast.Constant | ast.Compare | ast.UnaryOp)

    def all_plain(self, nodes: Sequence[ast.AST | None]) -> bool:
        """Look at all of them, whatever the first ones are."""
        found = [self.plain(one) for one in nodes]
        return all(found)

    def _joinedstr(self, node: ast.JoinedStr) -> bool:
        return self.all_plain(node.values)

    def _formattedvalue(self, node: ast.FormattedValue) -> bool:
        form = node.format_spec.values[-1:] if isinstance(node.format_spec, ast.JoinedStr) else []
        number = bool(form) and isinstance(form[0], ast.Constant) and form[0].value[-1:] in tuple("dfge%,")
        return number or self.plain(node.value)

    def _ifexp(self, node: ast.IfExp) -> bool:
        return self.all_plain([node.body, node.orelse])

    def _boolop(self, node: ast.BoolOp) -> bool:
        return self.all_plain(node.values)

    def _binop(self, node: ast.BinOp) -> bool:
        number = isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv)
        one = any(
            isinstance(side, ast.Constant) and isinstance(side.value, int) for side in (node.left, node.right)
        )
        return number or one or self.all_plain([node.left, node.right])

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> bool:
        return self.all_plain(node.elts)

    _tuple = _set = _list

    def _starred(self, node: ast.Starred) -> bool:
        return self.plain(node.value)

    def _dict(self, node: ast.Dict) -> bool:
        return self.all_plain(node.values)

    def _listcomp(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> bool:
        return self.plain(node.elt)

    _generatorexp = _setcomp = _listcomp

    def _dictcomp(self, node: ast.DictComp) -> bool:
        return self.plain(node.value)

    def _subscript(self, node: ast.Subscript) -> bool:
        return self.plain(node.value)

    def _lambda(self, node: ast.Lambda) -> bool:
        return self.plain(node.body)

    def _namedexpr(self, node: ast.NamedExpr) -> bool:
        return self.plain(node.value)

    def _attribute(self, node: ast.Attribute) -> bool:
        base = node.value
        if node.attr in ("__getitem__", "get", "format"):
            return self.plain(base)
        if isinstance(base, ast.Name):
            return base.id in OURS or base.id.isupper()
        if isinstance(base, ast.Attribute) and base.attr == "field":
            return node.attr in ("label", "help")
        return node.attr.isupper() or (isinstance(base, ast.Subscript) and _is_constant(base.value))

    def _call(self, node: ast.Call) -> bool:
        called = node.func
        if isinstance(called, ast.Attribute):
            if called.attr == "join":
                return self.plain(node.args[0])
            if called.attr in METHODS:
                return self.all_plain([called.value, *node.args, *(one.value for one in node.keywords)])
            return called.attr in ("sum", "mean", "count")
        name = called.id if isinstance(called, ast.Name) else ""
        if name in HELPERS | NUMBERS:
            return True
        if name == "counted":
            return self.plain(node.args[1])
        if name == "map":
            mapped = node.args[0]
            through = isinstance(mapped, ast.Name) and mapped.id in HELPERS
            return through or self.all_plain(node.args)
        if name in THROUGH:
            return self.all_plain([*node.args, *(one.value for one in node.keywords)])
        own = known_as(name, self.file)
        parameters = self.pages.plain.get(own)
        return parameters is not None and self.all_plain(
            [*given_at(node, self.pages.places(own, parameters))]
        )

    def _name(self, node: ast.Name) -> bool:
        if _is_constant(node) or node.id in HELPERS:
            return True
        given = _bindings(self.function, node.id)
        is_parameter = isinstance(self.function, ast.FunctionDef) and node.id in _parameters(self.function)
        if is_parameter:
            self.parameters.add(node.id)
        if not given:
            return is_parameter or known_as(node.id, self.file) in self.pages.plain
        if node.id in self._open:  # made longer step by step: each step is looked at
            return True
        self._open.add(node.id)
        plain = self.all_plain(given)
        self._open.discard(node.id)
        return plain


def given_at(call: ast.Call, places: Sequence[Place]) -> Iterator[ast.expr]:
    """Return what a call has at some places."""
    for place in places:
        if isinstance(place, int):
            yield from call.args[place : place + 1]
        else:
            yield from (one.value for one in call.keywords if one.arg == place)


def known_as(name: str, file: Path | str) -> str:
    """Return a key of a function: private ones are those of their file."""
    return f"{file}:{name}" if name.startswith("_") else name


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, Function]]:
    """Return every call of a file with the function it stands in."""

    def within(node: ast.AST, function: Function) -> Iterator[tuple[ast.Call, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                yield child, function
            yield from within(child, child if isinstance(child, ast.FunctionDef) else function)

    yield from within(tree, tree)


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id.lstrip("_").isupper()


def _is_box(called: ast.expr, function: Function) -> bool:
    """Tell whether one of several is called, such as BOXES[outcome](text)."""
    if isinstance(called, ast.Name):
        return any(
            isinstance(one, ast.Subscript) and _is_box(one, function)
            for one in _bindings(function, called.id)
        )
    return isinstance(called, ast.Subscript) and _is_constant(called.value)


def _of_state(called: ast.Attribute) -> bool:
    return isinstance(called.value, ast.Name) and called.value.id == "state"


def _parameters(function: ast.FunctionDef) -> set[str]:
    taken = function.args
    return {one.arg for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)}


@cache
def _bindings(function: Function, name: str) -> tuple[ast.AST, ...]:
    """Return the expressions that a name of a function stands for."""
    return tuple(_bindings_of(function, name))


@cache
def _binding_nodes(function: Function) -> tuple[ast.AST, ...]:
    kinds = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.For, ast.comprehension)
    return tuple(node for node in ast.walk(function) if isinstance(node, kinds))


def _bindings_of(function: Function, name: str) -> Iterator[ast.AST]:
    for node in _binding_nodes(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _bound(target, node.value, name)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            yield from _bound(node.target, node.value, name)
        elif isinstance(node, ast.For | ast.comprehension):
            yield from _item(node.target, node.iter, name)


def _bound(target: ast.AST, value: ast.AST, name: str) -> Iterator[ast.AST]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Starred):
        yield from _bound(target.value, value, name)
    elif isinstance(target, ast.Tuple):
        parts = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
        for at, one in enumerate(target.elts):
            yield from _bound(one, parts[at] if parts else value, name)


def _item(target: ast.AST, values: ast.AST, name: str) -> Iterator[ast.AST]:
    """Return what a name of a loop stands for."""
    if isinstance(values, ast.Call) and isinstance(values.func, ast.Name) and isinstance(target, ast.Tuple):
        if values.func.id == "enumerate":
            yield from _item(target.elts[1], values.args[0], name)
            yield from _bound(target.elts[0], ast.Constant(0), name)
            return
        if values.func.id == "zip":
            for one, part in zip(target.elts, values.args, strict=False):
                yield from _item(one, part, name)
            return
    if isinstance(values, ast.Tuple | ast.List):
        for part in values.elts:
            yield from _bound(target, part, name)
        return
    yield from _bound(target, values, name)
