"""Values of R as `saveRDS` and `save` write them: parsed, never run, numbers left on disk until they are asked for.

Vectors are views of the unpacked file, so that an object of any size takes little memory. Functions, formulas and
environments are skipped over.

References
----------
R Internals, "Serialization Formats" (https://cran.r-project.org/doc/manuals/r-release/R-ints.html).
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.errors import UnreadableFileError, UnsafeFileError

MOST_COUNTED = 200_000_000
"""Longest sequence `1:n` that is written out."""
MOST_STRINGS = 200_000_000
MOST_ITEMS = 5_000_000
"""Strings and other values of one file; a Seurat object of a million cells has some thousand values."""
DEEPEST = 20_000
"""Frames of the parser: an object within an object takes two or three."""

NIL, SYMBOL, PAIRS, CLOSURE, ENVIRONMENT, PROMISE, CALL = 0, 1, 2, 3, 4, 5, 6
SPECIAL, BUILTIN, STRING, LOGICAL, INTEGER, REAL, COMPLEX, STRINGS = 7, 8, 9, 10, 13, 14, 15, 16
DOTS, LIST, EXPRESSION, BYTECODE, POINTER, WEAK, RAW, S4 = 17, 19, 20, 21, 22, 23, 24, 25
ALTREP, PAIRS_WITH, CALL_WITH, CODE_SEEN, CODE_NEW = 238, 239, 240, 243, 244
PERSISTENT, PACKAGE, NAMESPACE, SEEN = 247, 250, 249, 255
NOTHING = {NIL, 254, 253, 242, 241, 247, 251, 252}
"""NULL, the environments that every R has, and what is missing or unbound."""
NUMBERS = {LOGICAL: ">i4", INTEGER: ">i4", REAL: ">f8", COMPLEX: ">c16", RAW: "u1"}
KINDS = {LOGICAL: "logical", INTEGER: "integer", REAL: "real", COMPLEX: "complex", RAW: "raw"}


@dataclass(slots=True)
class RValue:
    """A value of R with its attributes; the slots of an S4 object are attributes."""

    kind: str
    """logical, integer, real, complex, raw, strings, list, pairs, S4 or other."""
    values: Any = None
    """Numbers (n,) as they lie in the file, a list of strings (None for NA), or a list of values."""
    attributes: dict[str, RValue] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of its classes, the narrowest first."""
        value = self.attributes.get("class")
        return () if value is None else tuple(value.strings)

    @property
    def strings(self) -> list[str]:
        """Its strings, "NA" where one is missing; empty where it holds none."""
        return ["NA" if one is None else one for one in self.values] if self.kind == "strings" else []

    @property
    def names(self) -> list[str]:
        """Names of its elements, empty where they have none."""
        names = self.attributes.get("names")
        return [] if names is None else names.strings

    def items(self) -> dict[str, RValue]:
        """Return the elements of a list by name; unnamed ones by number, from 1."""
        if self.kind not in ("list", "pairs"):
            return {}
        names = self.names or [""] * len(self.values)
        pairs = zip(names, self.values, strict=False)
        return {name or str(number): value for number, (name, value) in enumerate(pairs, 1)}

    def get(self, *path: str) -> RValue | None:
        """Follow slots from one to the next; None where there is none."""
        value: RValue | None = self
        for name in path:
            value = None if value is None else value.attributes.get(name)
        return value


def parse(data: mmap.mmap, name: str) -> RValue:
    """Parse what `saveRDS` wrote, or all that `save` wrote as a list by name.

    Raises
    ------
    UnreadableFileError
        If it is cut off, damaged, or written in a form that is not read here.
    """
    start = 5 if data[:3] == b"RDX" else 0
    if data[start : start + 2] != b"X\n":
        raise UnreadableFileError(
            f"{name} is an R object saved as text or in a private form.",
            hint="In R: saveRDS(object, 'cells.rds'), without ascii = TRUE.",
        )
    parser = _Parser(data, start + 2)
    deepest = sys.getrecursionlimit()
    sys.setrecursionlimit(max(deepest, DEEPEST))
    try:
        parser.header()
        value = parser.item()
    except (struct.error, IndexError, KeyError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableFileError(
            f"{name} is an R object that is cut off or damaged: {error or type(error).__name__} "
            f"at byte {parser.at:,} of {len(data):,}.",
            hint="Copy or download the file again, or write it anew in R with saveRDS(object, 'cells.rds').",
        ) from error
    finally:
        sys.setrecursionlimit(deepest)
    return value


NULL = RValue("other")


class _Parser:
    """A place in the file, and what was met before it."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self.data, self.at = data, at
        self.seen: list[RValue] = []
        self.n_strings = self.n_items = 0

    def header(self) -> None:
        version = self.integer()
        self.at += 8
        if version == 3:
            self.take(self.integer())
        elif version != 2:
            raise ValueError(f"version {version} of the format is not known")

    def integer(self) -> int:
        value: int = struct.unpack_from(">i", self.data, self.at)[0]
        self.at += 4
        return value

    def take(self, n: int) -> bytes:
        if n < 0 or self.at + n > len(self.data):
            raise ValueError(f"{n:,} bytes are declared, {len(self.data) - self.at:,} are left")
        self.at += n
        return self.data[self.at - n : self.at]

    def length(self, least: int) -> int:
        """Read a number of elements, each of which takes some bytes at least."""
        n = self.integer()
        if n == -1:
            n = (self.integer() << 32) + (self.integer() & 0xFFFFFFFF)
        if n < 0 or n * least > len(self.data) - self.at:
            raise ValueError(f"{n:,} elements are declared, {len(self.data) - self.at:,} bytes are left")
        return n

    def item(self) -> RValue:
        flags = self.integer()
        kind = flags & 0xFF
        if kind in NOTHING:
            return NULL
        self.n_items += 1
        if max(self.n_items / MOST_ITEMS, self.n_strings / MOST_STRINGS) > 1:
            raise UnsafeFileError(
                f"The R object holds more than {MOST_ITEMS:,} values or {MOST_STRINGS:,} strings.",
                hint="In R: keep the counts and the table of cells alone, and save them with saveRDS.",
            )
        if kind == SEEN:
            return self.seen[(flags >> 8 or self.integer()) - 1]
        if kind in NUMBERS:
            return self.with_attributes(RValue(KINDS[kind], self.numbers(NUMBERS[kind])), flags)
        return _READ[kind](self, flags)

    def numbers(self, dtype: str) -> NDArray[Any]:
        width = np.dtype(dtype).itemsize
        n = self.length(width)
        values = np.frombuffer(self.data, dtype=dtype, count=n, offset=self.at)
        self.at += n * width
        return values

    def with_attributes(self, value: RValue, flags: int) -> RValue:
        if flags & 0x200:
            found = self.item()
            value.attributes = dict(zip(found.names, found.values or (), strict=False))
        return value

    def symbol(self, flags: int) -> RValue:
        self.integer()
        value = RValue("symbol", self.text(self.at - 4))
        self.seen.append(value)
        return value

    def text(self, at: int) -> str | None:
        """Read one string, `at` the place of its flags."""
        flags, n = struct.unpack_from(">ii", self.data, at)
        self.at = at + 8
        if flags & 0xFF != STRING:
            raise ValueError("a string is expected")
        if n == -1:
            return None
        raw = self.take(n)
        return raw.decode("latin-1" if flags & 0x4000 else "utf-8", "replace")

    def string(self, flags: int) -> RValue:
        return RValue("strings", [self.text(self.at - 4)])

    def strings(self, flags: int) -> RValue:
        n = self.length(8)
        self.n_strings += n
        texts = [self.text(self.at) for _ in range(n)] if self.n_strings <= MOST_STRINGS else []
        return self.with_attributes(RValue("strings", texts), flags)

    def vector(self, flags: int) -> RValue:
        n = self.length(4)
        return self.with_attributes(RValue("list", [self.item() for _ in range(n)]), flags)

    def pairs(self, flags: int) -> RValue:
        """Read a chain of pairs, its names the tags."""
        values, names = [], []
        own: dict[str, Any] = {}
        first = True
        while flags & 0xFF in (PAIRS, CALL, CLOSURE, PROMISE, DOTS):
            if flags & 0x200:
                attributes = self.item()
                own = dict(zip(attributes.names, attributes.values or (), strict=False)) if first else own
            tag = self.item() if flags & 0x400 else None
            names.append("" if tag is None or tag.kind != "symbol" else tag.values or "")
            values.append(self.item())
            first = False
            flags = self.integer()
        if flags & 0xFF not in NOTHING:
            self.at -= 4
            self.item()
        return RValue("pairs", values, {**own, "names": RValue("strings", names)})

    def environment(self, flags: int) -> RValue:
        self.integer()
        value = RValue("environment")
        self.seen.append(value)
        _, frame, table, _ = (self.item() for _ in range(4))
        chains = [frame, *(table.values if table.kind == "list" else ())]
        inside = {name: one for chain in chains for name, one in chain.items().items()}
        value.attributes = inside
        return value

    def s4(self, flags: int) -> RValue:
        return self.with_attributes(RValue("S4"), flags)

    def names_of_package(self, flags: int) -> RValue:
        self.integer()
        n = self.length(8)
        value = RValue("other", [self.text(self.at) for _ in range(n)])
        self.seen.append(value)
        return value

    def pointer(self, flags: int) -> RValue:
        value = RValue("other")
        self.seen.append(value)
        if flags & 0xFF == POINTER:
            self.item()
            self.item()
        self.with_attributes(value, flags)
        return value

    def builtin(self, flags: int) -> RValue:
        self.take(self.integer())
        return RValue("other")

    def altrep(self, flags: int) -> RValue:
        info, state, attributes = self.item(), self.item(), self.item()
        value = _ALTREP[str(info.values[0].values)](state)
        value.attributes |= dict(zip(attributes.names, attributes.values or (), strict=False))
        return value

    def bytecode(self, flags: int) -> RValue:
        self.integer()
        self.code()
        return self.with_attributes(RValue("other"), flags)

    def code(self) -> None:
        self.item()
        for _ in range(self.length(4)):
            kind = self.integer()
            if kind == BYTECODE:
                self.code()
            elif kind in (CALL, PAIRS, CODE_NEW, CODE_SEEN, CALL_WITH, PAIRS_WITH):
                self.call(kind)
            else:
                self.item()

    def call(self, kind: int) -> None:
        """Skip a call within compiled code; its parts are a chain."""
        while True:
            if kind == CODE_SEEN:
                self.integer()
                return
            if kind == CODE_NEW:
                self.integer()
                kind = self.integer()
            if kind not in (CALL, PAIRS, CALL_WITH, PAIRS_WITH):
                self.item()
                return
            if kind in (CALL_WITH, PAIRS_WITH):
                self.item()
            self.item()
            self.call(self.integer())
            kind = self.integer()


_READ: dict[int, Callable[[_Parser, int], RValue]] = {
    SYMBOL: _Parser.symbol,
    STRING: _Parser.string,
    STRINGS: _Parser.strings,
    LIST: _Parser.vector,
    EXPRESSION: _Parser.vector,
    **dict.fromkeys((PAIRS, CALL, CLOSURE, PROMISE, DOTS), _Parser.pairs),
    ENVIRONMENT: _Parser.environment,
    S4: _Parser.s4,
    **dict.fromkeys((NAMESPACE, PACKAGE, 248), _Parser.names_of_package),
    **dict.fromkeys((POINTER, WEAK), _Parser.pointer),
    **dict.fromkeys((SPECIAL, BUILTIN), _Parser.builtin),
    ALTREP: _Parser.altrep,
    BYTECODE: _Parser.bytecode,
}


def _sequence(state: RValue, kind: str) -> RValue:
    n, start, step = (float(one) for one in state.values[:3])
    if not 0 <= n <= MOST_COUNTED:
        raise ValueError(f"a sequence of {n:,.0f} numbers is declared")
    return RValue(kind, start + step * np.arange(int(n), dtype=np.float64))


def _written_out(state: RValue) -> RValue:
    """Give the strings that R would make of numbers."""
    inner = state.values[0]
    if inner.kind == "real":
        return RValue("strings", [f"{one:.15g}" for one in inner.values.tolist()])
    return RValue("strings", [None if one == -(2**31) else str(int(one)) for one in inner.values.tolist()])


def _wrapped(state: RValue) -> RValue:
    inner: RValue = state.values[0]
    return RValue(inner.kind, inner.values, dict(inner.attributes))


_ALTREP: dict[str, Callable[[RValue], RValue]] = {
    "compact_intseq": lambda state: _sequence(state, "integer"),
    "compact_realseq": lambda state: _sequence(state, "real"),
    "deferred_string": _written_out,
    **dict.fromkeys(
        [f"wrap_{kind}" for kind in ("real", "integer", "logical", "string", "complex", "raw", "list")],
        _wrapped,
    ),
}
