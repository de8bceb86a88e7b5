"""Each setting at values that mean something and at values that do not, and where a bad one stops the start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pages.components.text import escaped
from scviz.errors import SettingsError
from scviz.jobs.engine import importable
from scviz.settings import KINDS, OFF, ON, ROOT, Settings
from scviz.workspace.database import Database
from tests.pages.test_pages import PAGES, Open, visit  # noqa: F401 - a fixture

SWITCHES = ("login", "spare", "metrics", "demo", "anybody_may_run_code")
GOOD: list[tuple[str, str, object]] = [
    ("home", "/srv/scviz", Path("/srv/scviz")),
    ("home", "~/cells", Path.home() / "cells"),
    ("data_roots", os.pathsep.join(("/a", "/b")), (Path("/a"), Path("/b"))),
    *[("scheduler", text, text) for text in ("tls://10.0.0.1:8786", "wss://head:8786")],
    ("scheduler_key", "/etc/scviz/key", Path("/etc/scviz/key")),
    ("database", "postgresql://me:secret@host/runs", "postgresql://me:secret@host/runs"),
    ("database", "sqlite:////tmp/runs.db", "sqlite:////tmp/runs.db"),
    ("workers", " 3 ", 3),
    ("threads", "4", 4),
    ("allow", "Ada@Lab.org=owner, @lab.org", ("ada@lab.org=owner", "@lab.org")),
    ("allow", "group:Cell Lab=viewer,anyone", ("group:Cell Lab=viewer", "anyone")),
    ("allow", f"code:{'0a' * 12}", (f"code:{'0a' * 12}",)),
    ("groups_claim", "cognito:groups", "cognito:groups"),
    *[(name, text, True) for name in SWITCHES for text in (*ON, "True", "YES")],
    *[(name, text, False) for name in SWITCHES for text in (*OFF, "Off")],
    ("memory_gb", "0", 0.0),
    ("memory_gb", "1.5", 1.5),
    ("person_limits", "disk=20, runs=2", ("disk=20", "runs=2")),
    ("server_limits", "memory=0.5,hours=12", ("memory=0.5", "hours=12")),
    ("clean", "runs=30,uploads=7,disk=100", ("runs=30", "uploads=7", "disk=100")),
    ("upload_gb", "2", 2.0),
    ("unpack_gb", "0.00001", 0.00001),
    ("hosts", "cells.example.org,mirror", ("cells.example.org", "mirror")),
    ("prefetch", "Geneformer-V1-10M, scGPT-brain", ("Geneformer-V1-10M", "scGPT-brain")),
    ("accept_licenses", "geneformer", ("geneformer",)),
    ("fetch_gb", "50", 50.0),
    (
        "fetch_from",
        "http://mirror:8000  https://files.intern/",
        ("http://mirror:8000", "https://files.intern"),
    ),
    *[(name, "http://127.0.0.1:9/x", "http://127.0.0.1:9/x") for name in ("dataverse", "enrichr", "links")],
]
BAD: list[tuple[str, str]] = [
    ("home", "/etc/hostname" if Path("/etc/hostname").exists() else __file__),
    *[("home", text) for text in ("~nobody-of-this-name/cells", f"/tmp/{'a' * 300}")],
    ("data_roots", os.pathsep.join(("/tmp", __file__))),
    ("data_roots", os.pathsep),
    *[("database", text) for text in ("sqlite://", "sqlite:///:memory:")],
    *[("scheduler", text) for text in ("yes", "tcp://10.0.0.1", "http://10.0.0.1:8786", "tcp://host:port")],
    *[("database", text) for text in ("runs.db", "postgrsql://host/runs", "mysql://host/runs", "yes")],
    *[("threads", text) for text in ("-1", "2.5", "all")],
    *[("workers", text) for text in ("0", "-1", "2.5", "two", "true", "1_0")],
    *[
        ("allow", text)
        for text in (
            ",",
            "lab.org",
            "ada",
            "*",
            "ada@lab.org=admin",
            "a@b@c",
            "code:12",
            "group:",
            "a b@c.org",
        )
    ],
    *[("groups_claim", text) for text in ("my groups", "a,b")],
    ("scheduler_key", __file__),
    *[(name, text) for name in SWITCHES for text in ("2", "ja", "ture", "enabled", "-1")],
    *[
        (name, text)
        for name in ("person_limits", "server_limits", "clean")
        for text in (
            "20",
            "disk=0",
            "disk=-1",
            "disk=20 GB",
            "disc=20",
            "disk=1,disk=2",
            "disk=inf",
            "disk=1,,",
        )
    ],
    ("clean", "hours=3"),
    *[("memory_gb", text) for text in ("-1", "8 GB", "inf", "nan", "half")],
    *[
        (name, text)
        for name in ("upload_gb", "unpack_gb", "fetch_gb")
        for text in ("0", "-1", "inf", "nan", "2G")
    ],
    *[(name, text) for name in ("hosts", "prefetch", "accept_licenses") for text in (",", "Geneformer V1")],
    *[("fetch_from", text) for text in ("mirror", "ftp://a", "http://", "http://a/folder", "http://a:b")],
    *[
        (name, text)
        for name in ("dataverse", "enrichr", "links")
        for text in ("dataverse.org", "ftp://a", "http://", "https://a b", "http://a:b")
    ],
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_a_value_is_understood(name: str, text: str, value: object) -> None:
    settings = Settings.from_env({f"SCVIZ_{name.upper()}": text})
    assert getattr(settings, name) == value
    assert Settings.from_env(settings.as_env()) == settings


@pytest.mark.parametrize(("name", "text"), BAD)
def test_what_is_not_understood_is_refused_with_what_may_stand_there(name: str, text: str) -> None:
    variable = f"SCVIZ_{name.upper()}"
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({variable: text})
    assert variable in str(refusal.value)
    assert repr(text) in str(refusal.value)
    assert refusal.value.hint == f"It must be {KINDS[name][1]}."


def test_every_setting_is_tried_at_good_and_bad_values() -> None:
    fields = set(Settings.__dataclass_fields__)
    assert fields == set(KINDS) == {name for name, *_ in GOOD} == {name for name, _ in BAD}


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "head:8786", "ws://head:8786"])
def test_a_scheduler_without_tls_is_refused_unless_its_risk_is_named(address: str) -> None:
    with pytest.raises(SettingsError, match="whoever reaches that port can run code") as refusal:
        Settings.from_env({"SCVIZ_SCHEDULER": address})
    assert "SCVIZ_ANYBODY_MAY_RUN_CODE=1" in refusal.value.hint
    wanted = Settings.from_env({"SCVIZ_SCHEDULER": address, "SCVIZ_ANYBODY_MAY_RUN_CODE": "1"})
    assert wanted.scheduler == address
    assert Settings.from_env(wanted.as_env()) == wanted


def test_a_demo_is_small_unless_its_owner_says_otherwise_and_has_no_login() -> None:
    usual = Settings.from_env({"SCVIZ_DEMO": "1"})
    assert (usual.upload_gb, usual.unpack_gb, usual.spare) == (0.02, 0.2, False)
    assert Settings.from_env({"SCVIZ_DEMO": "1", "SCVIZ_UPLOAD_GB": "0.1"}).upload_gb == 0.1
    with pytest.raises(SettingsError, match="SCVIZ_DEMO lets everybody in"):
        Settings.from_env({"SCVIZ_DEMO": "1", "SCVIZ_LOGIN": "1"})


def test_an_empty_value_is_as_good_as_none() -> None:
    assert Settings.from_env({f"SCVIZ_{name.upper()}": " " for name in KINDS}) == Settings.from_env({})


@pytest.mark.parametrize("name", ["SCVIZ_LOGN", "SCVIZ_Login", "scviz_login"])
def test_a_variable_nobody_reads_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"no setting {name}") as refusal:
        Settings.from_env({name: "1"})
    assert refusal.value.hint == "Did you mean SCVIZ_LOGIN?"


def test_variables_of_tests_and_of_kubernetes_are_no_settings() -> None:
    Settings.from_env({"SCVIZ_GOLDENS": "x", "SCVIZ_SERVICE_HOST": "10.0.0.1", "SCVIZ_PORT_8501_TCP": "x"})
    with pytest.raises(SettingsError, match="SCVIZ_PORT"):
        Settings.from_env({"SCVIZ_PORT": "8501"})


def test_a_password_is_not_shown() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({"SCVIZ_DATABASE": "postgrsql://me:secret@host/runs"})
    assert "secret" not in str(refusal.value)
    assert "postgrsql://me:***@host/runs" in str(refusal.value)


@pytest.mark.parametrize(
    "command", ["scviz serve", "scviz runs", "scviz.jobs.engine", "scviz.jobs.worker one"]
)
def test_a_bad_setting_stops_the_start(command: str, tmp_path: Path) -> None:
    env = importable({**os.environ, "SCVIZ_HOME": str(tmp_path), "SCVIZ_LOGIN": "ture"})
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=240,
    )
    assert done.returncode == 1
    expected = "SCVIZ_LOGIN is 'ture'. It must be 1, true, yes or on; or 0, false, no or off."
    assert done.stderr.strip().endswith(expected)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"SCVIZ_HOME is .*which cannot be made") as refusal:
        Settings.from_env({"SCVIZ_HOME": str(tmp_path / "file" / "home")}).make_home()
    assert refusal.value.hint == "It must be a folder that you may write to."


def test_a_database_whose_driver_is_missing_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match="needs the package psycopg"):
        Database("postgresql://host/runs")


@pytest.mark.parametrize("script", PAGES)
def test_no_page_opens_with_a_bad_setting(
    visit: Open,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    script: str,
) -> None:
    monkeypatch.setenv("SCVIZ_LOGN", "1")
    page = visit(script)
    assert [error.value for error in page.error] == [
        escaped("There is no setting SCVIZ_LOGN. Did you mean SCVIZ_LOGIN?")
    ]
    assert not page.button
    assert not page.sidebar.get("page_link")
