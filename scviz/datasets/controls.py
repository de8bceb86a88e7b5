"""Names of cells that were not perturbed: guides that target nothing, safe harbors, reporters, vehicles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["control", "harbor", "reporter", "vehicle", "vector", "unguided"]

REMARKS: Mapping[Kind, str] = {
    "control": "",
    "harbor": "Taken for control: guides of this name cut where no gene is.",
    "reporter": "Taken for control: it is no gene of the cells.",
    "vehicle": "Taken for control: it names what a treatment is dissolved in.",
    "vector": "Taken for control: a vector without an insert.",
    "unguided": "Taken for control: no guide was seen in these cells.",
}
"""What to say of a control of each kind, which its user may want to choose differently."""

NUMBERED: Mapping[Kind, str] = {
    "control": r"ctrls?|controls?|ctl|ntc?|ntgt|(neg|negative|pos neg) ?(ctrls?|ctr|ctl|controls?)|unperturbed|"
    r"no[nt]? ?targ(et(ing|ed|s)?)?|untarget(ed|ing)|no[nt]? ?perturb(ed|ation)|scrambled?|scram|scrm(bl)?|"
    r"no[nt]? ?silencing|neg ?con|dummy|isotype|"
    r"random ?(guide|grna|sgrna)",
    "harbor": r"h?aavs ?1?|m?rosa ?(26)?|gt ?rosa ?26 ?sor|safe ?harbou?rs?|safe ?target(ing)?|"
    r"safe ?cut(ter|ting)?|safe|cutting|hipp ?11|(one )?inter ?genic|(one )?non ?gen(e|ic)|no ?gene|no ?sites?|"
    r"no ?current|gene ?desert|desert",
    "reporter": r"([ae]|ac|sf|cop|turbo)?gfp|(tag)?e?bfp2?|e?yfp|ecfp|rfp|m?cherry|(td)?tomato|dsred2?|"
    r"mneongreen|mkate2?|mscarlet|"
    r"zsgreen1?|[fr]?luc2?|n(ano)? ?luc|(firefly|renilla)? ?luc(iferase)?|luciferase|renilla|lac ?z|d?cas9( krab)?",
    "vehicle": r"dmso|vehicle|veh",
    "vector": r"empty ?(vector|plasmid|backbone|virus|lenti)?|plko ?(1|5)?",
    "unguided": r"(no ?(detected ?)?(guides?|s?g ?rnas?|vector|plasmid|barcode|call)|(guides?|s?g ?rnas?) not)"
    r"( (detected|found|assigned|called|captured))?|unguided|guideless",
}
"""Patterns of names, in small letters and with blanks for all else; the number of a guide may be glued to them."""
ALONE: Mapping[Kind, str] = {
    "control": r"wt|wild ?type|parental|mock|sham|neg|nc|ns|scr|ut|"
    r"un(treated|edited|infected|transduced|transfected|modified|"
    r"stimulated|induced)|unstim|no[nt]? ?(treated|treatment|edited|transduced|transfected|infected|infection|"
    r"drug|virus|stimulated|stimulation|stim)|placebo",
    "vehicle": r"pbs|saline|water|h2o|etoh|ethanol|medi(a|um)( only)?|solvent|buffer",
    "vector": r"ev|vector( only)?|backbone",
    "unguided": r"none|negative",
}
"""Those to which no number is glued: WT1, NC1 and EVC are genes."""

BEFORE = r"(?:(?:sg|si|sh)(?: ?rna)? ?|(?:grna|guide|crispr[aio]?|ko|kd|oe|neg|negative|control|ctrl) )*"
AFTER = (
    r"(?: ?\d+(?!\d)| ?(?:sgrna|grna|guides?|sg|g|controls?|ctrls?|ctl|cells?|sites?|regions?|human|mouse|hs|mm|only|"
    r"vector|plasmid|rep|for|group|arm|treated|tf|seq|ko|kd|oe|crispr[aio]?|p1p2|p1|p2|p[a-z]{2}(?=\d)|um|nm|hrs?|h|"
    r"days?|plate|well|batch|lib|pool|[acgt]{15,}))*"
)
"""Words around a name that number a guide or say how and where."""
LONGEST = 120
"""Letters of a name; longer ones are none of control."""


def _pattern(kinds: Mapping[Kind, str], *, glued: bool) -> re.Pattern[str]:
    groups = "|".join(f"(?P<{kind}>{names})" for kind, names in kinds.items())
    return re.compile(rf"{BEFORE}(?:{groups}){'' if glued else '(?= |$)'}{AFTER}")


PATTERNS = (_pattern(NUMBERED, glued=True), _pattern(ALONE, glued=False))
HOLDS = re.compile(
    rf"(?:^| |sg|si|sh|rna)(?:{'|'.join([*NUMBERED.values(), *(rf'(?:{names})(?= |$)' for names in ALONE.values())])})"
)
SURE: tuple[Kind, ...] = ("control", "harbor", "reporter")
"""Kinds whose plain names are control even where a gene of the data has the same name, as CTRL is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlName:
    """A name that stands for cells that were not perturbed."""

    kind: Kind
    sure: bool
    """Whether it is control even where a gene of the data has the same name."""

    @property
    def remark(self) -> str:
        """What to say of it; empty where its name says control."""
        return REMARKS[self.kind]


@lru_cache(maxsize=100_000)
def control_name(name: str) -> ControlName | None:
    """Tell what kind of control a name stands for; None where it is none.

    Examples
    --------
    >>> control_name("NO_SITE_5").kind, control_name("NonTargeting_Human_0001").kind, control_name("LUC7L")
    ('harbor', 'control', None)
    """
    words = _words(name)
    if not words or len(words) > LONGEST:
        return None
    for pattern in PATTERNS:
        found = pattern.fullmatch(words)
        if found is not None:
            kind = next(kind for kind in REMARKS if found.groupdict().get(kind))
            plain = found[kind] == words and pattern is PATTERNS[0]
            return ControlName(kind=kind, sure=plain and kind in SURE)
    return None


def may_hold_control(text: str) -> bool:
    """Tell whether a name of control may stand within a text; quicker than to try each part of it.

    Examples
    --------
    >>> may_hold_control("STAT1_NO_SITE_5"), may_hold_control("10005_STAT1_P1P2")
    (True, False)
    """
    return HOLDS.search(_words(text)) is not None


def _words(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def says_control(name: str) -> bool:
    """Tell whether a name stands for control cells; a cell in which no guide was seen is none.

    Examples
    --------
    >>> says_control("AAVS1"), says_control("unguided"), says_control("CD19")
    (True, False, False)
    """
    found = control_name(name)
    return found is not None and found.kind != "unguided"
