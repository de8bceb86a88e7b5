"""Who may come in after a login, and as what: by issuer and subject, and by addresses that are verified."""

from __future__ import annotations

import pytest

from scviz.workspace.admission import admit
from scviz.workspace.people import Person

ADA = {"iss": "https://id.example", "sub": "7", "name": "Ada", "email": "Ada@Lab.org", "email_verified": True}
CODE = f"code:{Person(issuer='https://id.example', subject='7').id}"


def test_nobody_comes_in_where_nobody_is_on_the_list() -> None:
    assert not admit(ADA, ()).admitted


@pytest.mark.parametrize(
    ("allow", "role"),
    [
        (["ada@lab.org"], "user"),
        (["@lab.org=viewer"], "viewer"),
        ([CODE + "=owner"], "owner"),
        (["anyone"], "user"),
        (["@lab.org=owner", "ada@lab.org=viewer"], "viewer"),
        ([CODE, "ada@lab.org=owner"], "user"),
        (["group:cells=viewer", "group:heads=owner", "@lab.org"], "owner"),
    ],
)
def test_the_nearest_entry_decides(allow: list[str], role: str) -> None:
    found = admit({**ADA, "groups": ["cells", "heads"]}, allow)
    assert found.admitted
    assert found.person.role == role


@pytest.mark.parametrize(
    "allow",
    [["ada@lab.org.evil"], ["@org"], ["@b.org"], ["da@lab.org"], ["group:ada@lab.org"], ["code:" + "0" * 24]],
)
def test_what_only_looks_alike_lets_nobody_in(allow: list[str]) -> None:
    assert not admit(ADA, allow).admitted


@pytest.mark.parametrize("said", [False, None, 1, "yes", "True", "false", [True]])
def test_an_address_that_is_not_verified_identifies_nobody(said: object) -> None:
    mallory = {**ADA, "sub": "666", "email_verified": said}
    found = admit(mallory, ["ada@lab.org=owner", "@lab.org=owner"])
    assert not found.admitted
    assert found.person.email == ""
    assert admit(mallory, ["anyone"]).person.id != admit(ADA, ["anyone"]).person.id


@pytest.mark.parametrize(
    "email",
    ["evil@x.org@lab.org", "ada @lab.org", "ada@lab.org\nx", "@lab.org", "", None, 7, "\u0430da@lab.org"],
)
def test_what_is_no_plain_address_is_none(email: object) -> None:
    assert not admit({**ADA, "email": email}, ["ada@lab.org", "@lab.org"]).admitted


def test_without_an_address_a_group_or_a_code_lets_her_in() -> None:
    claims = {"iss": "https://id.example", "sub": "7", "roles": ["cells"]}
    assert not admit(claims, ["ada@lab.org", "@lab.org", "@", "group:cells"]).admitted
    assert admit(claims, ["group:cells"], groups_claim="roles").admitted
    assert admit(claims, [CODE]).admitted


@pytest.mark.parametrize("gone", ["iss", "sub"])
@pytest.mark.parametrize("value", [None, "", "  ", 7])
def test_without_issuer_and_subject_nobody_is_anybody(gone: str, value: object) -> None:
    found = admit({**ADA, gone: value}, ["anyone=owner", "ada@lab.org=owner"])
    assert not found.admitted
    assert found.person.role == "viewer"


def test_a_person_is_an_issuer_and_a_subject_whatever_her_address_is() -> None:
    moved = {**ADA, "email": "ada@home.org", "name": "Ada L."}
    elsewhere = {**ADA, "iss": "https://other.example"}
    ids = [admit(claims, ["anyone"]).person.id for claims in (ADA, moved, elsewhere)]
    assert ids[0] == ids[1] != ids[2]
