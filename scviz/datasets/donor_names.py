"""Which columns hold donors, or samples of them, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scviz.workspace import ColumnInfo

DONORS = (
    *("donor", "patient", "individual", "subject", "participant", "person", "ind", "mouse", "animal"),
    *("sample", "specimen", "biosample", "replicate", "rep", "library"),
)
"""Words of columns whose values are donors, or samples of them, the best first."""
NUMBERED_ANEW = frozenset(
    ("mouse", "animal", "sample", "specimen", "biosample", "replicate", "rep", "library")
)
"""Those of which there is often a first, a second and so on in each condition: equal names may be different ones."""
PLAIN = frozenset(
    (
        "",
        "s",
        *("id", "ids", "name", "names", "label", "code", "key", "nr", "no", "number", "index", "barcode"),
    )
)
"""What may stand beside those words where a value is a name and no more."""
ATTRIBUTES = frozenset(
    (
        *("sex", "gender", "age", "ages", "race", "ethnicity", "ancestry"),
        *("bmi", "weight", "height", "strain", "genotype", "species", "organism", "phenotype"),
        *("type", "types", "kind", "class", "category", "group", "groups", "status"),
        *("state", "stage", "level", "role", "set", "split", "part", "fraction"),
        *("disease", "diagnosis", "severity", "outcome", "response", "responder"),
        *("infection", "infected", "healthy", "control", "case", "cause", "death"),
        *("condition", "conditions", "treatment", "treated", "stim", "stimulation"),
        *("drug", "dose", "therapy", "medication", "vaccine", "smoking", "smoker"),
        *("source", "origin", "material", "site", "location", "region", "organ"),
        *("tissue", "center", "centre", "hospital", "country", "cohort", "study"),
        *("time", "timepoint", "day", "date", "week"),
        *("month", "year", "visit", "life", "development", "developmental"),
        *("phase", "batch", "pool", "lane", "chemistry", "assay", "platform"),
        *("protocol", "method", "prep", "preparation", "processing", "collection", "storage"),
        *("quality", "qc", "score", "count", "counts", "size", "n", "is"),
        *("has", "doublet", "suspension", "ontology", "term", "color", "colors", "comment", "description"),
    )
)
"""Words of what donors or samples have in common with others: a sex is no donor."""
BETWEEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


def donors_first(columns: Iterable[ColumnInfo]) -> tuple[str, ...]:
    """Name the columns of donors or samples: those called so and no more first, the better word, more values.

    Examples
    --------
    >>> sexes = ColumnInfo(name="donor_sex", kind="batch", n_values=2)
    >>> donors_first([sexes, ColumnInfo(name="donorID", kind="batch", n_values=16)])
    ('donorID',)
    """
    found = [one for one in columns if _word(one.name) and not says_attribute(one.name)]
    return tuple(one.name for one in sorted(found, key=_place))


def says_attribute(name: str) -> bool:
    """Tell whether a name holds a word for donors and speaks of what several of them may share.

    Examples
    --------
    >>> says_attribute("sampleType"), says_attribute("patient_id"), says_attribute("batch")
    (True, False, False)
    """
    return bool(_word(name)) and any({word, _rest(word)} & ATTRIBUTES for word in _words(name))


def numbered_anew(name: str) -> bool:
    """Tell whether a column speaks of what is often numbered anew in each condition, such as replicates.

    Examples
    --------
    >>> numbered_anew("patient_id"), numbered_anew("replicate"), numbered_anew("mouse.id"), numbered_anew("batch")
    (False, True, True, False)
    """
    return _word(name) in NUMBERED_ANEW


def _words(name: str) -> list[str]:
    return [word.lower() for word in BETWEEN.split(name) if word]


def _word(name: str) -> str:
    """Return the first of DONORS that a name holds; empty where it holds none."""
    said = _words(name)
    return next((donor for donor in DONORS if any(_holds(word, donor) for word in said)), "")


def _holds(word: str, donor: str) -> bool:
    return word == donor or (len(donor) > 3 and (word.startswith(donor) or word.endswith(donor)))


def _rest(word: str) -> str:
    """Return what is left of a word that begins or ends with one for donors; the word where it does not."""
    held = next((donor for donor in DONORS if _holds(word, donor)), "")
    return word.removeprefix(held) if word.startswith(held) else word.removesuffix(held)


def _place(column: ColumnInfo) -> tuple[bool, int, int]:
    plain = {_rest(word) for word in _words(column.name)} <= PLAIN
    return not plain, DONORS.index(_word(column.name)), -column.n_values
