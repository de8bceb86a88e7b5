"""What the owner of a server may set, by environment variables; what is not understood stops the start."""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scviz import amounts
from scviz.errors import SettingsError

CODE = Path(__file__).resolve().parent
IS_INSTALLED = (CODE / "site").is_dir()
"""Whether this is the built package, which brings the dashboard's files along, and not the repository."""
ROOT = CODE / "site" if IS_INSTALLED else CODE.parent
"""The folder of the dashboard: app.py, assets, pages."""

GIGABYTE = 10**9
DATAVERSE = "https://dataverse.harvard.edu"
ENRICHR = "https://maayanlab.cloud/Enrichr"
PREFIX = "SCVIZ_"
OF_TESTS = {"SCVIZ_GOLDENS"}
"""Variables that tests read."""
KUBERNETES = re.compile(r"SCVIZ_(SERVICE|PORT)(_\w+)?")
"""What Kubernetes gives to every container beside a service named scviz."""
ENCRYPTED = ("tls", "wss")
"""Schemes of schedulers that only who has the key can talk with."""
OF_DEMO: dict[str, Any] = {
    **{"spare": False, "upload_gb": 0.02, "unpack_gb": 0.2, "fetch_gb": 0.02},
    "person_limits": ("uploads=0.06",),
}
"""What a demo server has for a default where others have more."""
DATABASES = ("postgresql", "sqlite")
ON, OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
ALLOWED = re.compile(r"(anyone|code:[0-9a-f]{24}|group:[^=,]+|[^@=,\s:]*@[^@=,\s:]+)(=(viewer|user|owner))?")
"""Who may come in after a login, and as what; `scviz.workspace.admission` reads it."""
PASSWORD = re.compile(r"(?<=://)([^/@]*):[^/@]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are kept and how much may be used."""

    home: Path
    """`SCVIZ_HOME`: the workspace; default `.scviz` in the user's home."""
    data_roots: tuple[Path, ...]
    """`SCVIZ_DATA_ROOTS`: folders whose files may be opened by path; default `data` in the workspace."""
    scheduler: str = ""
    """`SCVIZ_SCHEDULER`: address of a Dask scheduler; empty starts one on this machine."""
    scheduler_key: Path | None = None
    """`SCVIZ_SCHEDULER_KEY`: folder with the key that it shares with its workers; default what Dask's own settings
    say."""
    anybody_may_run_code: bool = False
    """`SCVIZ_ANYBODY_MAY_RUN_CODE`: on accepts a scheduler without TLS, by which whoever reaches its port can run code
    on its workers; default off."""
    database: str = ""
    """`SCVIZ_DATABASE`: SQLAlchemy URL of the run database; empty means a SQLite file in the workspace."""
    workers: int = 1
    """`SCVIZ_WORKERS`: heavy runs at a time on this machine; default 1."""
    threads: int = 0
    """`SCVIZ_THREADS`: threads that each run computes with; equal questions have equal answers only with equal ones;
    default the cores over the runs at a time, as the first run of the workspace finds them, 16 at most."""
    spare: bool = True
    """`SCVIZ_SPARE`: off keeps no process waiting for the next run on this machine, and answers later; default on."""
    memory_gb: float = 0.0
    """`SCVIZ_MEMORY_GB`: memory that one run may use, in GB; 0 means most of what is free."""
    person_limits: tuple[str, ...] = ()
    """`SCVIZ_PERSON_LIMITS`: most that each person may use, such as `disk=20,uploads=5,runs=2,hours=24,memory=8`: GB
    kept, GB of uploads, heavy runs at a time, hours of them a day, GB of one run; default no limit."""
    server_limits: tuple[str, ...] = ()
    """`SCVIZ_SERVER_LIMITS`: the same of all together; default no limit."""
    clean: tuple[str, ...] = ()
    """`SCVIZ_CLEAN`: what goes by itself, such as `runs=30,uploads=7,disk=100`: days after which runs that have ended
    and uploads go, GB beyond which the oldest of both go; never what is shared, kept or in use; default nothing."""
    login: bool = False
    """`SCVIZ_LOGIN`: on asks for a login (OIDC, set up in `.streamlit/secrets.toml`); default off."""
    allow: tuple[str, ...] = ()
    """`SCVIZ_ALLOW`: who may come in after a login, separated by commas: verified addresses, `@lab.org`, `group:cells`,
    `code:…` as the page shows it, `anyone`; each may end with `=viewer`, `=user` or `=owner`; default nobody."""
    groups_claim: str = "groups"
    """`SCVIZ_GROUPS_CLAIM`: what the issuer of logins calls the list of a person's groups; default `groups`."""
    hosts: tuple[str, ...] = ()
    """`SCVIZ_HOSTS`: names by which the server may be called, such as `cells.example.org`, separated by commas; default
    those of this machine and addresses in digits."""
    demo: bool = False
    """`SCVIZ_DEMO`: on lets everybody see examples and try small files, which are gone after an hour; default off."""
    metrics: bool = False
    """`SCVIZ_METRICS`: on answers `/metrics` with numbers for Prometheus (runs, queue, memory, disk); default off."""
    upload_gb: float = 0.5
    """`SCVIZ_UPLOAD_GB`: largest upload through the browser, in GB; default 0.5."""
    unpack_gb: float = 64.0
    """`SCVIZ_UNPACK_GB`: most that one file may unpack to, in GB; default 64."""
    dataverse: str = DATAVERSE
    """`SCVIZ_DATAVERSE`: address of Harvard Dataverse or a mirror, asked when a user presses Download."""
    enrichr: str = ENRICHR
    """`SCVIZ_ENRICHR`: address of Enrichr or a mirror, asked for gene sets when a user presses Download."""
    links: str = ""
    """`SCVIZ_LINKS`: address of a mirror that is asked for known links; empty asks Zenodo, OmniPath, ChIP-Atlas."""
    prefetch: tuple[str, ...] = ()
    """`SCVIZ_PREFETCH`: names of published weights, such as `Geneformer-V1-10M`, separated by commas, that are
    downloaded when the server starts; default none."""
    accept_licenses: tuple[str, ...] = ()
    """`SCVIZ_ACCEPT_LICENSES`: models, such as `geneformer`, separated by commas, to the license of whose weights the
    owner of the server says yes; default none."""
    fetch_gb: float = 20.0
    """`SCVIZ_FETCH_GB`: largest file that is fetched from an address, in GB; default 20."""
    fetch_from: tuple[str, ...] = ()
    """`SCVIZ_FETCH_FROM`: places within the network, such as `http://mirror:8000`, separated by blanks, from which
    files may be fetched besides public ones; default none."""

    def refuse_shown_home(self) -> None:
        """Refuse data folders that hold the workspace itself: with a login, all could list what each has.

        Raises
        ------
        SettingsError
            If there is a login, and one does.
        """
        home = self.home.resolve()
        if self.login and any(home.is_relative_to(root.resolve()) for root in self.data_roots):
            raise SettingsError(
                f"{_variable('data_roots')} holds the workspace itself, where the things of all people lie.",
                hint="Name other folders.",
            )

    def make_home(self) -> None:
        """Make the folder of the workspace, and let nobody else on this machine into it.

        Only where a cluster computes, whose workers may be other users, its permissions are left as they are.

        Raises
        ------
        SettingsError
            If that cannot be.
        """
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.home.stat()
            if (
                os.name == "posix"
                and not self.scheduler
                and found.st_uid == os.getuid()
                and found.st_mode & 0o077
            ):
                self.home.chmod(0o700)
        except OSError as error:
            raise SettingsError(
                f"{_variable('home')} is {str(self.home)!r}, which cannot be made: {error.strerror}.",
                hint="It must be a folder that you may write to.",
            ) from error

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from environment variables; an empty one counts as not set.

        Raises
        ------
        SettingsError
            If a variable is unknown, or its value is not understood.

        Examples
        --------
        >>> Settings.from_env({"SCVIZ_HOME": "/srv/scviz", "SCVIZ_LOGIN": "yes"}).login
        True
        """
        _refuse_unknown(env)
        values = {
            name: _value(name, text) for name in KINDS if (text := env.get(_variable(name), "").strip())
        }
        home = values.get("home") or Path.home() / ".scviz"
        usual = OF_DEMO if values.get("demo") else {}
        settings = cls(**{"home": home, "data_roots": (home / "data",), **usual, **values})
        _refuse_plain(settings)
        if settings.demo and settings.login:
            raise SettingsError(
                "SCVIZ_DEMO lets everybody in, and SCVIZ_LOGIN does not.", hint="Turn one of them off."
            )
        return settings

    def as_env(self) -> dict[str, str]:
        """Write the settings as environment variables, for processes that have no other way to know them.

        Examples
        --------
        >>> settings = Settings.from_env({"SCVIZ_HOME": "/srv/scviz", "SCVIZ_LOGIN": "on"})
        >>> Settings.from_env(settings.as_env()) == settings
        True
        """
        values = {_variable(field.name): str(getattr(self, field.name)) for field in dataclasses.fields(self)}
        roots = os.pathsep.join(str(root.absolute()) for root in self.data_roots)
        lists = {_variable("data_roots"): roots, _variable("fetch_from"): " ".join(self.fetch_from)}
        lists |= {
            _variable(name): ",".join(getattr(self, name))
            for name in ("allow", "hosts", "prefetch", "accept_licenses", *amounts.KINDS)
        }
        lists[_variable("scheduler_key")] = str(self.scheduler_key.absolute()) if self.scheduler_key else ""
        return values | {_variable("home"): str(self.home.absolute())} | lists


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _refuse_unknown(env: Mapping[str, str]) -> None:
    """Name variables that nobody reads: a typo must not leave a server open."""
    known = {_variable(name) for name in KINDS} | OF_TESTS
    of_cluster = "SCVIZ_SERVICE_HOST" in env
    for name in sorted(env):
        if (
            not name.upper().startswith(PREFIX)
            or name in known
            or (of_cluster and KUBERNETES.fullmatch(name))
        ):
            continue
        near = difflib.get_close_matches(name.upper(), known, n=1)
        raise SettingsError(
            f"There is no setting {name}.",
            hint=f"Did you mean {near[0]}?" if near else f"The settings are: {', '.join(sorted(known))}.",
        )


def _refuse_plain(settings: Settings) -> None:
    """Refuse a scheduler that takes code from whoever reaches it, unless that was said."""
    if not settings.scheduler or settings.anybody_may_run_code:
        return
    if urlsplit(settings.scheduler).scheme not in ENCRYPTED:
        raise SettingsError(
            f"SCVIZ_SCHEDULER is {settings.scheduler!r}: without TLS, whoever reaches that port can run code there.",
            hint="Start the scheduler with TLS and give its tls:// address (README, A cluster); "
            "or accept that by SCVIZ_ANYBODY_MAY_RUN_CODE=1.",
        )


def _value(name: str, text: str) -> Any:
    """Read one value, or say what may stand there."""
    read, may_stand = KINDS[name]
    try:
        return read(text)
    except (ValueError, OSError, RuntimeError) as error:  # a path too long; a home of nobody
        shown = PASSWORD.sub(r"\1:***@", text)
        raise SettingsError(f"{_variable(name)} is {shown!r}.", hint=f"It must be {may_stand}.") from error


def _switch(text: str) -> bool:
    if text.lower() not in (*ON, *OFF):
        raise ValueError(text)
    return text.lower() in ON


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _threads(text: str) -> int:
    return 0 if text == "0" else _whole(text)


def _gigabytes(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or number < 0:
        raise ValueError(text)
    return number


def _some_gigabytes(text: str) -> float:
    if _gigabytes(text) == 0:
        raise ValueError(text)
    return float(text)


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError(text)
    return path


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(_folder(part) for part in text.split(os.pathsep) if part)
    if not folders:
        raise ValueError(text)
    return folders


def _web(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        raise ValueError(text)
    _ = parts.port  # ValueError if it is no number
    return text


def _origins(text: str) -> tuple[str, ...]:
    places = tuple(_web(part.rstrip("/")) for part in text.split())
    if any(urlsplit(place).path for place in places):
        raise ValueError(text)
    return places


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names or any(re.search(r"\s", name) for name in names):
        raise ValueError(text)
    return names


def _allowed(text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    entries = tuple(one if one.startswith("group:") else one.casefold() for one in parts)
    if not entries or not all(map(ALLOWED.fullmatch, entries)):
        raise ValueError(text)
    return entries


def _word(text: str) -> str:
    if not re.fullmatch(r"[^\s,]+", text):
        raise ValueError(text)
    return text


def _scheduler(text: str) -> str:
    parts = urlsplit(text if "://" in text else f"tcp://{text}")
    if parts.scheme not in (*ENCRYPTED, "tcp", "ws", "ucx") or not parts.hostname or not parts.port:
        raise ValueError(text)
    return text


def _database(text: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ValueError(text) from error
    of_one_process = url.database in (None, "", ":memory:")
    if url.get_backend_name() not in DATABASES or (url.get_backend_name() == "sqlite" and of_one_process):
        raise ValueError(text)
    return text


SWITCH = (_switch, "1, true, yes or on; or 0, false, no or off")
WEB = (_web, "an address that begins with http:// or https://")
KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "home": (_folder, "a folder"),
    "data_roots": (_folders, f"folders, separated by {os.pathsep!r}"),
    "scheduler": (_scheduler, "an address such as tls://10.0.0.1:8786"),
    "scheduler_key": (_folder, "a folder"),
    "anybody_may_run_code": SWITCH,
    "database": (
        _database,
        "an SQLAlchemy address of PostgreSQL or SQLite such as postgresql://user:password@host/name",
    ),
    "workers": (_whole, "a whole number, 1 or more"),
    "threads": (_threads, "a whole number, 1 or more"),
    "spare": SWITCH,
    "memory_gb": (_gigabytes, "gigabytes, such as 8 or 0.5; 0 for most of what is free"),
    **amounts.KINDS,
    "login": SWITCH,
    "allow": (
        _allowed,
        "verified addresses, @domains, group:NAME, code:CODE or anyone, each with =viewer, =user, =owner or "
        "nothing behind it, separated by commas",
    ),
    "groups_claim": (_word, "the name of a claim, such as groups"),
    "hosts": (_names, "names of machines, separated by commas"),
    "demo": SWITCH,
    "metrics": SWITCH,
    "upload_gb": (_some_gigabytes, "gigabytes, more than 0, such as 0.5"),
    "unpack_gb": (_some_gigabytes, "gigabytes, more than 0, such as 64"),
    "dataverse": WEB,
    "enrichr": WEB,
    "links": WEB,
    "prefetch": (_names, "names of published weights, separated by commas"),
    "accept_licenses": (_names, "names of models, separated by commas"),
    "fetch_gb": (_some_gigabytes, "gigabytes, more than 0, such as 20"),
    "fetch_from": (_origins, "addresses such as http://mirror:8000, separated by blanks"),
}
"""How each setting is read, and what may stand there."""
