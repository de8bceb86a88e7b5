"""How names of genes are written: versions, prefixes of genomes, symbols joined with ids, dates; no table needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_ID = r"ENS[A-Z]{0,6}G\d{11}"
_TAIL = r"(?:\.\d+)?(?:_PAR_Y)?"
_BETWEEN = r"[\s_|:;,/(.-]+"

ENSEMBL = re.compile(rf"({_ID})(\.\d+)?(_PAR_Y)?", re.IGNORECASE)
NUMBER = re.compile(r"\d+(\.\d+)?")

_ID_FIRST = re.compile(rf"({_ID}){_TAIL}{_BETWEEN}(.+?)\)?", re.IGNORECASE)
_ID_LAST = re.compile(rf"(.+?){_BETWEEN}({_ID}){_TAIL}\)?", re.IGNORECASE)
_CHROMOSOME = re.compile(
    r"chr(?:\d{1,2}|[XYM]|MT|Un)[:_|](?=.*[A-Za-z])(?!random|\d+[-_:]\d+)(.+)", re.IGNORECASE
)
_CHROMOSOME_LAST = re.compile(r"(.+?)__chr(?:\d{1,2}|[XYM]|MT|Un)", re.IGNORECASE)
_FEATURE = re.compile(r"gene[-:](.+)", re.IGNORECASE)

GENOMES = {
    "human": r"GRCh3[678]|hg1[89]|hg38|CHM13|human|Homo_sapiens",
    "mouse": r"GRCm3[789]|mm9|mm10|mm39|mouse|Mus_musculus",
    "rat": r"Rnor_6\.0|Rnor_6|mRatBN7\.2|rn[67]|Rattus_norvegicus",
    "zebrafish": r"GRCz1[01]|danRer1[01]|Danio_rerio",
    "macaque": r"Mmul_10|rheMac\d+|Macaca_mulatta",
    "fly": r"BDGP6|dm[36]|Drosophila_melanogaster",
    "worm": r"WBcel235|ce1[01]|Caenorhabditis_elegans",
    "pig": r"Sscrofa11(?:\.1)?|susScr\d+|Sus_scrofa",
    "chicken": r"GRCg6a|galGal\d|Gallus_gallus",
}
"""Species by what a reference genome is called in front of the names of its genes."""
_RELEASE = r"(?:[-_.]?(?:\d{4}-[A-Z]|\d+(?:\.\d+)+|p\d+|premrna|pre_mrna))?"
_PREFIX = re.compile(
    "(?:"
    + "|".join(f"(?P<{name}>{known})" for name, known in GENOMES.items())
    + rf"){_RELEASE}[_.:|-]+(?=\S)",
    re.IGNORECASE,
)

MONTHS = {
    "jan": ("JAN",),
    "feb": ("FEB",),
    "mar": ("MARCH", "MARC", "MAR"),
    "apr": ("APR",),
    "may": ("MAY",),
    "jun": ("JUN",),
    "jul": ("JUL",),
    "aug": ("AUG",),
    "sep": ("SEPT", "SEP"),
    "oct": ("OCT",),
    "nov": ("NOV",),
    "dec": ("DEC",),
}
"""Beginnings of symbols that a spreadsheet takes for a month."""
_MONTH = "(?P<month>" + "|".join(MONTHS) + ")(?:t|ch)?"
_DATES = (
    re.compile(rf"(?P<day>\d{{1,2}})[-/. ]{_MONTH}(?:[-/. ]\d{{2,4}})?", re.IGNORECASE),
    re.compile(rf"{_MONTH}[-/. ](?P<day>\d{{1,2}})", re.IGNORECASE),
)
_DATE_IN_NUMBERS = (
    re.compile(r"\d{4}[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?:[ T]00:00(?::00)?)?"),
    re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/\d{2,4}"),
    re.compile(r"(?P<day>\d{1,2})[/.](?P<month>\d{1,2})[/.]\d{2,4}"),
)
_SERIAL = range(32_874, 51_136)
"""Days from 1990 to 2040, as spreadsheets count them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A name of a gene taken apart."""

    symbol: str
    """What stands for the symbol; empty where the name is an Ensembl id alone."""
    ensembl: str
    """The Ensembl id in upper case, without version; empty where there is none."""


def strip_version(name: str) -> str:
    """Return an Ensembl id in upper case without its version; any other name as it is.

    The copies on Y of genes that X and Y share get the id of the gene.

    Examples
    --------
    >>> strip_version("ENSG00000141510.18"), strip_version("RP11-34P13.7")
    ('ENSG00000141510', 'RP11-34P13.7')
    >>> strip_version("ENSG00000182378.15_PAR_Y")
    'ENSG00000182378'
    """
    found = ENSEMBL.fullmatch(name)
    return found[1].upper() if found else name


@lru_cache(maxsize=1 << 16)
def written(name: str) -> Written:
    """Take blanks, quotes, chromosomes and versions off a name, and a symbol and an Ensembl id apart.

    Prefixes of genomes are not looked at; see `without_genomes`.

    Examples
    --------
    >>> written("CD3E_ENSG00000198851.10")
    Written(symbol='CD3E', ensembl='ENSG00000198851')
    >>> written(" chr11:CD3E ").symbol, written("HLA-A").symbol, written("ensg00000198851.3").ensembl
    ('CD3E', 'HLA-A', 'ENSG00000198851')
    """
    name = " ".join(name.strip(" \t\r\n\"'\ufeff\xa0").split())
    if name.isalnum() and name[:3].upper() != "ENS":  # most names; nothing to take apart
        return Written(symbol=name, ensembl="")
    for pattern in (_CHROMOSOME, _CHROMOSOME_LAST, _FEATURE):
        found = pattern.fullmatch(name)
        name = found[1] if found else name
    if found := ENSEMBL.fullmatch(name):
        return Written(symbol="", ensembl=found[1].upper())
    if "ENS" in name.upper():
        if found := _ID_FIRST.fullmatch(name):
            return Written(symbol=_one_symbol(found[2]), ensembl=found[1].upper())
        if found := _ID_LAST.fullmatch(name):
            return Written(symbol=_one_symbol(found[1]), ensembl=found[2].upper())
    return Written(symbol=name, ensembl="")


def _one_symbol(text: str) -> str:
    """Give the symbol that was joined with an id; an id repeated is none."""
    symbol = text.split("|")[0].strip(" _|:;,/(-")
    return "" if ENSEMBL.fullmatch(symbol) else symbol


def genome_of(name: str) -> str:
    """Name the species whose genome stands in front of a name; empty where none does.

    Examples
    --------
    >>> genome_of("GRCh38______CD3E"), genome_of("mm10___Cd3e"), genome_of("CD3E"), genome_of("GRCh38-2020-A_CD3E")
    ('human', 'mouse', '', 'human')
    """
    found = None if name.isalnum() else _PREFIX.match(name.lstrip())
    return (found.lastgroup or "") if found else ""


def without_genome(name: str) -> str:
    """Take the prefix of a genome off a name.

    Examples
    --------
    >>> without_genome("GRCh38_HLA-A"), without_genome("hg19_ENSG00000198851"), without_genome("HLA-A")
    ('HLA-A', 'ENSG00000198851', 'HLA-A')
    """
    return _PREFIX.sub("", name.lstrip(), count=1) if genome_of(name) else name


def without_genomes(names: Sequence[str]) -> list[str]:
    """Take prefixes of genomes off the names of a dataset.

    Where genes of several species stand together, the human ones lose their prefix and the others keep it: without
    it mouse C3 would be taken for human C3.

    Examples
    --------
    >>> without_genomes(["mm10___Cd3e", "mm10___C3"]), without_genomes(["GRCh38_C3", "mm10___C3"])
    (['Cd3e', 'C3'], ['C3', 'mm10___C3'])
    """
    genomes = [genome_of(name) for name in names]
    several = len(set(genomes) - {""}) > 1
    return [
        without_genome(name) if genome and (genome == "human" or not several) else name
        for name, genome in zip(names, genomes, strict=True)
    ]


def date_words(name: str) -> tuple[str, ...]:
    """List the symbols that a spreadsheet may have turned into this date; empty where it is no date.

    Examples
    --------
    >>> date_words("2-Sep"), date_words("Mar-01"), date_words("2019-12-01 00:00:00")
    (('SEPT2', 'SEP2'), ('MARCH1', 'MARC1', 'MAR1'), ('DEC1',))
    >>> date_words("9/3/2019"), date_words("MARCH1")
    (('SEPT3', 'SEP3', 'MARCH9', 'MARC9', 'MAR9'), ())
    """
    if not name[-1:].isalnum() or name.isalnum():
        return ()
    words = []
    for pattern in _DATES:
        if found := pattern.fullmatch(name):
            words += [f"{start}{int(found['day'])}" for start in MONTHS[found["month"].lower()]]
    months = list(MONTHS.values())
    for pattern in _DATE_IN_NUMBERS:
        found = pattern.fullmatch(name)
        if found and 1 <= int(found["month"]) <= 12:
            words += [f"{start}{int(found['day'])}" for start in months[int(found["month"]) - 1]]
    return tuple(dict.fromkeys(words))


def is_serial_date(name: str) -> bool:
    """Tell whether a name is a number that a spreadsheet writes for a date; the gene is then lost.

    Examples
    --------
    >>> is_serial_date("44256"), is_serial_date("7157")
    (True, False)
    """
    return name.isdecimal() and len(name) == 5 and int(name) in _SERIAL
