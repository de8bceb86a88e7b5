"""Who may come in after a login: SCVIZ_ALLOW against what the issuer says of a person.

`ada@lab.org`     whose verified address this is
`@lab.org`        whose verified address ends so
`group:cells`     who is in this group, by the claim that SCVIZ_GROUPS_CLAIM names
`code:1a2b…`      the person of this issuer and subject, by the code that the page shows her
`anyone`          whoever can log in

Each may end with `=viewer`, `=user` (so without it) or `=owner`. The first kind in the order code, address, group,
domain, anyone that fits a person decides; of several groups, the one that may do most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scviz.workspace.people import ROLES, Person, Role

ANYONE = "anyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What a login came to."""

    person: Person
    admitted: bool
    why: str = ""
    """Why she was not admitted, a sentence."""


def admit(claims: Mapping[str, Any], allow: Iterable[str], *, groups_claim: str = "groups") -> Admission:
    """Tell who has logged in, and whether she may come in.

    An address counts only where the issuer says that it has verified it: anybody can give that of somebody else.

    Parameters
    ----------
    claims
        What the issuer says of her, checked by whoever has read its token.
    allow
        The entries of SCVIZ_ALLOW; none lets nobody in.
    groups_claim
        The claim that lists her groups.
    """
    issuer, subject = _text(claims.get("iss")), _text(claims.get("sub"))
    person = Person(
        issuer=issuer, subject=subject, name=_text(claims.get("name")).strip(), email=_verified(claims)
    )
    if not issuer.strip() or not subject.strip():
        return Admission(
            person=Person(subject="nobody", role="viewer"),
            admitted=False,
            why="The login names no issuer and subject.",
        )
    role = _role_of(person, _groups(claims.get(groups_claim)), dict(map(_split, allow)))
    if role is None:
        return Admission(
            person=replace(person, role="viewer"), admitted=False, why="You are not on its list."
        )
    return Admission(person=replace(person, role=role), admitted=True)


def _role_of(person: Person, groups: Iterable[str], roles: Mapping[str, Role]) -> Role | None:
    domain = person.email.partition("@")[2]
    for kind in (
        [f"code:{person.id}"],
        [person.email] if person.email else [],
        [f"group:{group}" for group in groups],
        [f"@{domain}"] if domain else [],
        [ANYONE],
    ):
        found = [roles[name] for name in kind if name in roles]
        if found:
            return max(found, key=ROLES.index)
    return None


def _split(entry: str) -> tuple[str, Role]:
    who, _, role = entry.partition("=")
    return who, next((one for one in ROLES if one == role), "user")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _verified(claims: Mapping[str, Any]) -> str:
    """Return her address in small letters, if it is one and is verified; else nothing."""
    email = _text(claims.get("email")).strip().casefold()
    said = claims.get("email_verified")
    true = said is True or said == "true"  # as some issuers write it
    return email if true and email.isascii() and re.fullmatch(r"[^@\s]+@[^@\s]+", email) else ""


def _groups(value: Any) -> list[str]:
    """Return the groups that a claim lists; one that is a single text is one group."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
