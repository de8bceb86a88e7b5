"""Terms of the Cell Ontology for a label as people write it: offered with how they match, never chosen in silence."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from scviz.datasets.cell_ontology import TABLE, Term, coarse, common_name, label_of, terms
from scviz.datasets.cell_words import n_dropped, parts_of, words_of

USUAL = TABLE.parent / "usual_names.tsv"
"""What short names usually mean, one name in several rows where they mean several things."""
MOST_NEAR = 5
Match = Literal[
    "id",
    "label",
    "synonym",
    "spelling",
    "usual",
    "parts",
    "part",
    "broader",
    "numbered",
    "doubted",
    "narrower",
]
MATCHES: Mapping[Match, str] = {
    "id": "the id itself",
    "label": "exact label",
    "synonym": "exact synonym",
    "spelling": "the same words in another spelling",
    "usual": "what this name usually means",
    "parts": "what its parts have in common",
    "part": "one of its parts",
    "broader": "says less than the label",
    "numbered": "where its number belongs to the type",
    "doubted": "where its question mark is left out",
    "narrower": "says more than the label",
}
"""How a term matches, as pages say it; the surest first."""
SURE: frozenset[Match] = frozenset({"id", "label", "synonym", "spelling", "usual"})
NUMBERED = re.compile(r"(?<!\btype)(?<!\bgroup)([ ._#]+|(?<=cell)-|(?<=cells)-)\d+$", re.IGNORECASE)
"""A number behind a name, as of the first of several clusters of it."""
NO_ONE_TYPE = re.compile(
    r"(\b|_)(doublets?|multiplets?|not(?! otherwise)|except|excluding|depleted|debris|ambient|contamin\w+)(\b|_)",
    re.IGNORECASE,
)
"""Words of labels of cells that are not, or not only, of the type that is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A term that a label may mean."""

    id: str
    label: str
    match: Match

    @property
    def how(self) -> str:
        """Say how it matches."""
        return MATCHES[self.match]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The terms that a label may mean, the likelier first."""

    text: str
    """The label."""
    candidates: tuple[Candidate, ...]

    @property
    def sure(self) -> Candidate | None:
        """The one term that says what the label says; None where several do, or where all say more or less."""
        fit = [one for one in self.candidates if one.match in SURE]
        return fit[0] if len(fit) == 1 else None

    @property
    def coarse(self) -> str | None:
        """The coarse type, where all terms that say what the label says, or else what it says at least, share it.

        Doublets, and what is said not to be of a type, have none.
        """
        if NO_ONE_TYPE.search(self.text):
            return None
        by_sureness = (
            [one for one in self.candidates if one.match in these] for these in (SURE, {"part"}, {"broader"})
        )
        wide = {coarse(one.id) for one in next(filter(None, by_sureness), [])}
        return wide.pop() if len(wide) == 1 else None


def terms_for(label: str) -> Offer:
    """Offer the terms that a label may mean.

    Labels and synonyms are compared letter by letter but for case, then by `words_of`, then with what short names
    usually mean; where a name usually means several things, all are offered. Terms that say less or more are offered
    where none says the same. A number behind a name may count clusters, and a question mark says that its writer was
    not sure: what is meant is then asked, too.

    Examples
    --------
    >>> terms_for("CD4 T cells").sure.label
    'CD4-positive, alpha-beta T cell'
    >>> terms_for("FCGR3A+ Monocytes").sure is None
    True
    >>> [one.label for one in terms_for("B_1").candidates], terms_for("B_1").sure is None
    (['B cell', 'B-1 B cell'], True)
    """
    return _offer(" ".join(label.split()))


@lru_cache(maxsize=4096)
def _offer(label: str) -> Offer:
    found = (
        _by_parts(label)
        or _exact(label)
        or _numbered(label)
        or _doubted(label)
        or _same(label)
        or _near(label)
    )
    unique = {one.id: one for one in reversed(found)}
    return Offer(text=label, candidates=tuple(dict.fromkeys(unique[one.id] for one in found)))


def _exact(label: str) -> list[Candidate]:
    """Find the term of an id, or those that the Cell Ontology calls so; nothing for names that usually mean others."""
    if re.fullmatch(r"CL[:_]\d{7}", label, re.IGNORECASE):
        given = label.upper().replace("_", ":")
        return _candidates([given] if given in terms() else [], "id")
    if _usual().get(words_of(label)):
        return []
    folded = label.casefold()
    labels = _candidates(_index().labels.get(folded, ()), "label")
    return labels or _candidates(_index().synonyms.get(folded, ()), "synonym")


def _same(label: str) -> list[Candidate]:
    """Find terms that say what the label says."""
    exact, usual = _exact(label), _usual().get(words_of(label), ())
    if usual:
        named = _index().labels.get(label.casefold(), ())
        return [*_candidates(named, "label"), *_candidates(usual, "usual")]
    return exact or _candidates(_least_dropped(words_of(label)), "spelling")


def _numbered(label: str) -> list[Candidate]:
    """Find what a name with a number behind it means without and with it, where it means something with it."""
    bare, with_it = NUMBERED.sub("", label), _same(label)
    if bare == label or not with_it:
        return []
    return [
        *(replace(one, match="broader") for one in _same(bare)),
        *(replace(one, match="numbered") for one in with_it),
    ]


def _doubted(label: str) -> list[Candidate]:
    """Find what a name means whose writer put a question mark behind it."""
    bare = " ".join(re.sub(r"[(\[]?\?+[)\]]?", " ", label).split())
    if "?" not in label or not bare:
        return []
    return [replace(one, match="doubted") if one.match in SURE else one for one in _offer(bare).candidates]


def _by_parts(label: str) -> list[Candidate]:
    """Find what the parts of a label have in common, and the parts, where each is sure."""
    parts = parts_of(label)
    sure = [Offer(text=part, candidates=tuple(_same(part))).sure for part in parts]
    named = [one for one in sure if one is not None]
    if len(parts) < 2 or len(named) < len(parts):
        return []
    shared = common_name([one.id for one in named])
    return [
        *_candidates([shared] if shared else [], "parts"),
        *_candidates((one.id for one in named), "part"),
    ]


def _near(label: str) -> list[Candidate]:
    """Find terms that say less than the label, those that leave least unsaid, and terms that say a little more."""
    words = words_of(label)
    if not any(len(word) > 2 for word in words):
        return []
    return [*_broader(words), *_narrower(words)]


def _broader(words: frozenset[str]) -> list[Candidate]:
    less = {said for said in _index().words if said < words}
    most = sorted((said for said in less if not any(said < other for other in less)), key=_most_words)
    return _candidates([one for said in most for one in _least_dropped(said)][:MOST_NEAR], "broader")


def _narrower(words: frozenset[str]) -> list[Candidate]:
    more = sorted(
        (said for said in _index().words if said > words), key=lambda said: (len(said), sorted(said))
    )
    return _candidates([one for said in more for one in _least_dropped(said)][:MOST_NEAR], "narrower")


def _most_words(said: frozenset[str]) -> tuple[int, list[str]]:
    return (-len(said), sorted(said))


def _least_dropped(said: frozenset[str]) -> list[str]:
    """Of the terms that say this, those that say least beside it, labels before synonyms."""
    of_these = _index().words.get(said, {})
    least = min(of_these.values(), default=(0, 0))
    return [term for term, beside in of_these.items() if beside == least]


def _candidates(ids: Iterable[str], match: Match) -> list[Candidate]:
    return [Candidate(id=one, label=label_of(one), match=match) for one in dict.fromkeys(ids)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """Ids of terms by what they are called."""

    labels: Mapping[str, list[str]]
    synonyms: Mapping[str, list[str]]
    words: Mapping[frozenset[str], Mapping[str, tuple[int, int]]]
    """For each set of words, the terms, with whether by a synonym and how many words stand beside them."""


@lru_cache(maxsize=1)
def _index() -> _Index:
    labels, synonyms = defaultdict(list), defaultdict(list)
    words: dict[frozenset[str], dict[str, tuple[int, int]]] = defaultdict(dict)
    for term in terms().values():
        labels[term.label.casefold()].append(term.id)
        for name in term.synonyms:
            synonyms[name.casefold()].append(term.id)
        _add_words(words, term)
    return _Index(labels=dict(labels), synonyms=dict(synonyms), words=dict(words))


def _add_words(words: dict[frozenset[str], dict[str, tuple[int, int]]], term: Term) -> None:
    for by_synonym, name in ((0, term.label), *((1, name) for name in term.synonyms)):
        beside = (by_synonym, n_dropped(name))
        of_these = words[words_of(name)]
        of_these[term.id] = min(beside, of_these.get(term.id, beside))


@lru_cache(maxsize=1)
def _usual() -> Mapping[frozenset[str], tuple[str, ...]]:
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    with USUAL.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for name in row["names"].split("|"):
                found[words_of(name)].append(row["id"])
    return {words: tuple(ids) for words, ids in found.items()}
