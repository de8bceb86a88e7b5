"""Which genes a name in a screen means: a symbol with the number of a guide, its sequence, its place, its use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scviz.datasets.controls import control_name, may_hold_control
from scviz.datasets.gene_keys import key
from scviz.datasets.gene_table import gene_table
from scviz.datasets.genes import ENSEMBL, strip_version

Symbols = Mapping[str, str]
"""The symbol of each gene by the names that it may have, in the form of `key`."""


GUIDE = re.compile(
    r"(?i:(?:s?g[-_]?rna|crrna|sg|sh|si|guide|g|rep|cr|cs|exon|ex|pool|lib|clone|site|oligo|#)?[-_]?\d+(?:\.\d+)?)|"
    r"[vec]\d+|p[A-Z]{2}\d+|(?i:s?grna|sg|guides?|sh|si)|[ACGTacgt]{8,}(-\d+)?"
)
"""Words that number a guide or name its sequence, or a plasmid."""
HOW = frozenset(
    {
        *("ko", "kd", "oe", "p1", "p2", "p1p2", "crispr", "crispri", "crispra", "crisprko", "cripsr"),
        *(
            "knockout",
            "knockdown",
            "overexpression",
            "activation",
            "inhibition",
            "del",
            "deletion",
            "mut",
            "mutant",
        ),
        *("null", "het", "hom", "homo", "edited", "mod", "orf", "cdna", "shrna", "sirna"),
    }
)
"""Words, in small letters, that say how a gene was perturbed, or at which of its promoters."""
BEFORE = re.compile(
    r"^(?:(?:(?i:s?g[-_]?rna|crrna|shrna|sirna)|sg)[-_ ]?(?=[A-Za-z0-9])|(?:sh|si)(?=[A-Z])|"
    r"(?i:sg|sh|si|ko|kd|oe|crispr[aio]?|knock-?out|knock-?down)[-_ ](?=[A-Za-z0-9]))"
)
"""What may stand before the name of a gene."""
GLUED_GUIDE = re.compile(
    r"(?P<gene>.+?)(g\d+|(?i:ko|kd)|[-.](?:(?i:s?grna|guide|sg|g|sh|si)[-_.]?)?\d+|[-.](?i:ko|kd|oe|p1p2|p1|p2)|"
    r"[-.][ACGTacgt]{8,}(?:-\d+)?)"
)
HUMAN = re.compile(r"[A-Z][A-Z0-9]*[A-Z0-9](orf\d+)?([-.][A-Z0-9]+)*")
"""What an unknown gene looks like: capital letters and digits, two or more."""
ANY_CASE = re.compile(r"[A-Z][A-Za-z0-9]+([-.][A-Za-z0-9]+)*")
"""The same where the known genes are not in capital letters, as those of mice."""
SOFT = re.compile(r"[_\s/()#:\[\]]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRead:
    """What a part of a value names: genes, or none for control."""

    genes: tuple[str, ...] = ()
    trouble: str = ""
    """Why it was not understood, a sentence."""
    remarks: tuple[str, ...] = ()
    """What older symbols were taken for, a sentence each."""


@dataclass(frozen=True, slots=True)
class NameReader:
    """Knows genes, and how the column numbers guides."""

    symbols: Symbols
    dashes_number_guides: bool
    symbol: re.Pattern[str]
    """What an unknown gene looks like."""

    def read(self, part: str) -> NameRead:
        """Read a part of a value."""
        if self._is_control(part):
            return NameRead()
        if key(part) in self.symbols:
            return NameRead(genes=(self.symbols[key(part)],))
        words = [word for word in SOFT.split(BEFORE.sub("", part, count=1)) if word]
        named = dict.fromkeys(self._named(words))
        if None in named or not named:
            return NameRead(trouble=_trouble(part, words))
        return self._renewed(self._without_ids([gene for gene in named if gene], words))

    def _renewed(self, genes: Sequence[str]) -> NameRead:
        """Take older symbols for the genes of the dataset that had them."""
        today = {gene: new for gene in genes if (new := self._today(gene)) is not None}
        return NameRead(
            genes=tuple(dict.fromkeys(today.get(gene, gene) for gene in genes)),
            remarks=tuple(
                f"{old} is {new} today." for old, new in today.items() if not ENSEMBL.fullmatch(old)
            ),
        )

    def _today(self, name: str) -> str | None:
        """Find a gene of the dataset by a symbol it once had, or by its id; None where it is known, or nobody knows.

        A word of three letters may be a treatment, as LPS is, and an alias is not looked for.
        """
        is_long = len(name) > 3 or any(letter.isdigit() for letter in name)
        if self._is_known(name) or not is_long:
            return None
        table = gene_table("human" if self.symbol is HUMAN else "mouse")
        found = table.find(strip_version(name))
        if found.how not in ("former symbol", "Ensembl id") or len(found.genes) != 1:
            return None
        return self.symbols.get(key(table.symbols[found.genes[0]]))

    def _named(self, words: Sequence[str]) -> Iterator[str | None]:
        """Name what words mean: genes, '' for control, None for what is neither; nothing for what says how."""
        start, held = 0, may_hold_control(" ".join(words))
        while start < len(words):
            gene = self._longest(words, start)
            control = self._longest_control(words, start) if held else start
            if gene > control:
                yield self.symbols[key("-".join(words[start:gene]))]
            elif control > start:
                yield ""
            elif not self._says_no_gene(words[start]):
                yield from self._of_word(words[start])
            start = max(gene, control, start + 1)

    def doubt_of_pair(self, genes: Sequence[str], alone: Collection[str]) -> str:
        """Say why a part with `_` or a blank within is no pair; empty where it is one."""
        new = [gene for gene in genes if key(gene) not in self.symbols and key(gene) not in alone]
        if len(genes) < 2 or not new:
            return ""
        return (
            f"{' and '.join(new)} {'is' if len(new) == 1 else 'are'} not among the genes of the dataset, and no other "
            "value names it alone; a pair of genes is written with + between them."
        )

    def _is_control(self, name: str) -> bool:
        found = control_name(name)
        return found is not None and (found.sure or key(name) not in self.symbols)

    def _longest(self, words: Sequence[str], start: int) -> int:
        """Find where the longest known gene ends that begins at a word; its own place where none does."""
        ends = range(len(words), start, -1)
        return next((end for end in ends if key("-".join(words[start:end])) in self.symbols), start)

    def _longest_control(self, words: Sequence[str], start: int) -> int:
        """Find where the longest name of control ends that begins at a word; its own place where none does."""
        ends = range(len(words), start, -1)
        return next((end for end in ends if self._is_control("_".join(words[start:end]))), start)

    def _says_no_gene(self, word: str) -> bool:
        """Tell whether a word numbers a guide or says how."""
        return word.lower() in HOW or GUIDE.fullmatch(word) is not None

    def _of_word(self, word: str) -> list[str | None]:
        glued = GLUED_GUIDE.fullmatch(word)
        gene = glued["gene"] if glued else ""
        if gene and (self._is_known(gene) or self._today(gene) or self._is_guide(word, gene)):
            if self._is_control(gene):
                return [""]
            return [self.symbols.get(key(gene), gene if self.symbol.fullmatch(gene) else None)]
        return self._joined(re.split("[-.]+", word)) or [word if self.symbol.fullmatch(word) else None]

    def _joined(self, pieces: Sequence[str]) -> list[str | None]:
        """Name what hyphens or dots join where each piece is known, control, or a guide; else nothing."""
        if len(pieces) < 2 or not all(self._is_piece(pieces, place) for place in range(len(pieces))):
            return []
        return [gene for gene in self._named(pieces) if gene]

    def _is_piece(self, pieces: Sequence[str], place: int) -> bool:
        starts = range(place + 1)
        inside = any(max(self._longest(pieces, i), self._longest_control(pieces, i)) > place for i in starts)
        return inside or self._says_no_gene(pieces[place]) or self._today(pieces[place]) is not None

    def _without_ids(self, genes: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
        """Leave Ensembl ids out beside symbols, or symbols that are not known beside an id that is."""
        of_ids = {self.symbols.get(key(word), word) for word in words if ENSEMBL.fullmatch(word)}
        symbols = tuple(gene for gene in genes if gene not in of_ids)
        known = tuple(filter(self._is_known, genes))
        if not of_ids or not symbols:
            return tuple(genes)
        return known if known and set(symbols) - set(known) else symbols

    def _is_known(self, gene: str) -> bool:
        return key(gene) in self.symbols

    def _is_guide(self, word: str, gene: str) -> bool:
        """Tell whether the end of an unknown name is a guide's number: `STAT2g2`, not Atg5 or NKX2-1."""
        end = word[len(gene) :]
        if end.lower() in ("ko", "kd"):
            return False  # MAPKO may be a gene; of one that is known it says how
        if end.startswith("g"):
            return gene == gene.upper()
        return not end[1:].isdigit() or (self.dashes_number_guides and end[0] == "-")


def _trouble(part: str, words: Sequence[str]) -> str:
    """Say why nothing was understood."""
    if words and all(GUIDE.fullmatch(word) for word in words) and not part.isdigit():
        return f"{part} is a sequence or a number and not the name of a gene."
    return f"{part or 'An empty part'} is not the name of a gene."
