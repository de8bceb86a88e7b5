"""What a name of a cell type says, as a set of words that does not depend on how it was written."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

GREEK = {
    chr(0x3B1 + place): name for place, name in enumerate(("alpha", "beta", "gamma", "delta", "epsilon"))
}
SPELLINGS = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r"haem", "hem"),
        (r"oesoph", "esoph"),
        (r"tumour", "tumor"),
        (r"\b(cd[48])(?=(t|nkt)(cell|cm|em|emra|eff|fh|h\d*|n|naive|reg|rm|scm)?s?\b)", r"\1+ "),
        (r"\bt[ _-]?h(?=\d)", "th"),
        (r"[ _-]?\b(positive|pos)\b", "+"),
        (r"[ _-]?\b(negative|neg)\b", "~"),
        (r"(?<=[0-9a-z])-(?=\s|$|[,;/)]|cd)", "~"),
        (r"\b(cd\d+[a-z]?)(hi|high|bright|lo|low|dim|br)\b", r"\1 \2"),
        (r"\bnon[ _-](?=[a-z])", "non"),
        (r"\bt[ _-]?reg(s?)\b", "treg"),
        (r"(?<=[a-z0-9])(\+|~)", r"\1 "),
        (r"\b(vs?|and|or|of|the|by)\b", " "),
    )
)
"""Ways of writing that are made one, in this order."""
GENES = {
    **{"fcgr3a": "cd16", "ms4a1": "cd20", "ncam1": "cd56", "itgax": "cd11c", "cd8a": "cd8", "il2ra": "cd25"},
    **{"il3ra": "cd123", "thbd": "cd141", "mme": "cd10", "itgam": "cd11b", "sdc1": "cd138", "itgae": "cd103"},
}
"""Genes that stand in names of types for the marker that they make."""
SHORT = {
    **{"nk": "natural killer", "nkt": "natural killer t", "inkt": "invariant natural killer t"},
    **{"tcm": "central memory t", "tem": "effector memory t", "tn": "naive t", "teff": "effector t"},
    **{"temra": "effector memory t terminally differentiated", "tscm": "stem memory t", "ctl": "cytotoxic t"},
    **{
        "trm": "resident memory t",
        "treg": "regulatory t",
        "tfh": "follicular helper t",
        "tex": "exhausted t",
    },
    **{"gdt": "gamma delta t", "tgd": "gamma delta t", "gammadelta": "gamma delta", "vd2": "gamma delta t"},
    **{"mait": "mucosal associated invariant t", "dnt": "double negative t", "dn": "double negative"},
    **{"tconv": "conventional t", "tcell": "t", "bcell": "b", "nkcell": "natural killer"},
    **{"dc": "dendritic", "pdc": "plasmacytoid dendritic", "cdc": "conventional dendritic"},
    **{"mdc": "myeloid dendritic", "modc": "monocyte derived dendritic"},
    **{"mono": "monocyte", "mac": "macrophage", "macro": "macrophage", "mdm": "monocyte derived macrophage"},
    **{
        "neut": "neutrophil",
        "neutro": "neutrophil",
        "eos": "eosinophil",
        "baso": "basophil",
        "gran": "granulocyte",
    },
    **{"mk": "megakaryocyte", "mega": "megakaryocyte", "plt": "platelet", "rbc": "erythrocyte"},
    **{
        "eryth": "erythroid",
        "ery": "erythroid",
        "hsc": "hematopoietic stem",
        "hspc": "hematopoietic precursor",
    },
    **{"ilc": "innate lymphoid", "pb": "plasmablast", "gc": "germinal center"},
    **{"endo": "endothelial", "epi": "epithelial", "fibro": "fibroblast", "smc": "smooth muscle"},
    **{
        "vsmc": "vascular smooth muscle",
        "astro": "astrocyte",
        "oligo": "oligodendrocyte",
        "microglia": "microglial",
    },
    **{"opc": "oligodendrocyte precursor", "myofib": "myofibroblast", "msc": "mesenchymal stem"},
    **{
        "prolif": "proliferating",
        "mem": "memory",
        "eff": "effector",
        "act": "activated",
        "reg": "regulatory",
    },
    **{"progenitor": "precursor", "hi": "high", "lo": "low", "br": "bright", "neuronal": "neuron"},
}
"""What short words of labels mean."""
DROPPED = frozenset(
    {"cell", "human", "thymus", "derived", "associated", "like", "resident", "subset", "cluster", "a", "type"}
)
"""Words that tell types of one name apart from nothing."""
LYMPHOCYTE = frozenset({"t", "b", "killer"})
OTHERS = frozenset(
    {
        *(
            "b",
            "killer",
            "monocyte",
            "dendritic",
            "thymocyte",
            "macrophage",
            "granulocyte",
            "neutrophil",
            "mast",
        ),
        *(
            "stem",
            "precursor",
            "lymphoid",
            "plasmablast",
            "plasma",
            "megakaryocyte",
            "platelet",
            "endothelial",
        ),
        *("epithelial", "fibroblast", "microglial", "lymphocyte", "leukocyte", "osteoclast", "hematopoietic"),
        *("eosinophil", "basophil", "mononuclear", "langerhans", "kupffer"),
    }
)
"""Words that say what a cell is; without them CD4, CD8 and cytotoxic speak of T cells."""
SPEAK_OF_T = frozenset({"cd4+", "cd8+", "cytotoxic", "th1", "th2", "th17", "th22"})


def words_of(name: str) -> frozenset[str]:
    """Say what a name of a cell type says, whatever its spelling.

    A marker without a sign is one that the cells have; a minus becomes `~`. Plurals, signs, letters of Greek, common
    short words and markers under the name of their gene are written out; words that tell nothing apart are left out,
    unless nothing else is there.

    Examples
    --------
    >>> sorted(words_of("CD4+ T"))
    ['cd4+', 't']
    >>> words_of("CD4-positive, alpha-beta T cell") == words_of("CD4_T_cells") == words_of("CD4 T lymphocytes")
    True
    >>> sorted(words_of("FCGR3A+ Monocytes"))
    ['cd16+', 'monocyte']
    """
    told = [word for token in _tokens(name) for word in _written_out(token)]
    words = {_marker(word) for word in told}
    if words & LYMPHOCYTE:
        words.discard("lymphocyte")
    if "t" in words and not words & {"gamma", "delta"}:
        words -= {"alpha", "beta"}
    if words & SPEAK_OF_T and not words & OTHERS:
        words.add("t")
    return frozenset(words - DROPPED or words)


def n_dropped(name: str) -> int:
    """Count the words that a name has beyond those that count."""
    return max(0, len(_tokens(name)) - len(words_of(name)))


def parts_of(label: str) -> tuple[str, ...]:
    """Split a label that names several types, such as "Megakaryocytes/platelets"; one part where it does not.

    Markers behind one another, such as CD4+/CD25+, are those of one type.

    Examples
    --------
    >>> parts_of("HSC/MPP")
    ('HSC', 'MPP')
    >>> parts_of("B cells")
    ('B cells',)
    """
    parts = [part.strip() for part in re.split(r"/|\||&|\band\b|\bor\b", label)]
    if any(re.fullmatch(r"cd\d+\w*[+-]?", part.casefold()) for part in parts):
        return (label,)
    return tuple(part for part in parts if part)


@lru_cache(maxsize=4096)
def _tokens(name: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKD", name).casefold()
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    for greek, word in GREEK.items():
        text = text.replace(greek, f" {word} ")
    text = text.replace("_", " ").replace(".", " ")
    for pattern, written in SPELLINGS:
        text = pattern.sub(written, text)
    return tuple(re.findall(r"[a-z0-9]+[+~]?", text))


def _written_out(token: str) -> list[str]:
    """Write a plural as one, a short word as what it means, a gene as its marker."""
    bare, sign = token.rstrip("+~"), token[len(token.rstrip("+~")) :]
    bare = GENES.get(bare, bare)
    if bare in SHORT or sign:
        return [*SHORT.get(bare, bare + sign).split()]
    single = _single(bare)
    return SHORT.get(single, single).split()


def _single(word: str) -> str:
    """Write a plural as one."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ous")):
        return word[:-1]
    return word


def _marker(word: str) -> str:
    """Give a marker without a sign the plus that it means."""
    return f"{word}+" if re.fullmatch(r"cd\d+[a-z]{0,3}", word) else word
