"""A process of its own that holds the local Dask cluster: `python -m scviz.jobs.engine`.

It outlives the web server and is shared by all browser sessions. `engine.json` in the workspace says where it
listens and which process it is; it ends when that file is gone or names another process. A file that somebody left
behind, or another program at the port, is told by the process: its number, when it began, and since which start of the
machine. Who may talk with it has its key; see `scviz.jobs.keys`.
"""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock, Timeout

import scviz
from scviz.errors import JobError, SettingsError
from scviz.jobs.keys import engine_key, make_key, security_of
from scviz.settings import CODE, IS_INSTALLED, ROOT, Settings
from scviz.workspace.plain_json import parse_plain

if TYPE_CHECKING:
    from distributed import LocalCluster

QUIET = {
    "distributed.scheduler.allowed-failures": 0,  # a killed run is lost; it does not silently start again
    "distributed.scheduler.worker-ttl": None,  # a clock that is set is no reason to end a worker
    "distributed.deploy.lost-worker-timeout": "1 week",  # one that takes long to come back is not given up
    "distributed.worker.profile.enabled": False,
    "distributed.worker.preload": ["scviz.jobs.no_http"],
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "2s",
    "distributed.worker.memory.monitor-interval": "5s",
}
"""Dask's settings for a cluster that mostly waits."""

SPARE_THREADS = 1
"""For what is no run, such as having a process wait for one."""

START_SECONDS = 90.0
ALONE_SECONDS = 120.0
"""An engine whose Dask worker is away for so long makes room for another one."""
KNOCK_SECONDS = 10.0
END_SECONDS = 10.0
"""How long an engine may take to end by itself."""
LONGEST_FILE = 10_000
"""Bytes of `engine.json`; a longer one is none."""
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where an engine listens, and which process it is."""

    address: str
    pid: int
    began: str
    """When the process did, in whatever unit the machine counts."""
    boot: str
    """Which start of the machine that was."""
    version: str
    """Of scviz, and of the files that an engine and the web side must have in common."""
    home: str = ""
    """The folder it works for, as it knows it; engines of older code did not say."""

    @property
    def is_alive(self) -> bool:
        """Whether that very process is there; its number alone may be that of another one by now."""
        return bool(self.began) and self.boot == boot() and self.began == began(self.pid)

    def works_for(self, home: Path) -> bool:
        """Whether it writes into this very folder; that of a moved workspace looks where it was, and ends."""
        try:
            return not self.home or Path(self.home).samefile(home)
        except OSError:
            return False


def address_file(home: Path) -> Path:
    """Return the file that says where the engine of a workspace listens."""
    return home / "engine.json"


def read_engine(home: Path) -> Engine | None:
    """Read what the file says; None where it is not there, or none of an engine."""
    try:
        with address_file(home).open("rb") as file:
            content = parse_plain(file.read(LONGEST_FILE), name="engine.json")
        known = Engine(**{name: content[name] for name in Engine.__dataclass_fields__ if name in content})
        texts = (known.address, known.began, known.boot, known.version, known.home)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return known if isinstance(known.pid, int) and all(isinstance(text, str) for text in texts) else None


def find(home: Path) -> Engine | None:
    """Return the engine of a workspace; None where none is there, or it takes no call."""
    engine = read_engine(home)
    if engine is None or not engine.is_alive or not engine.works_for(home):
        return None
    try:
        host, port = engine.address.rpartition("://")[2].rsplit(":", 1)
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
    except (OSError, ValueError, OverflowError):
        return None
    return engine


def find_or_start(settings: Settings, env: dict[str, str]) -> Engine:
    """Return the engine of a workspace, after starting it if need be.

    Parameters
    ----------
    settings
        Name the workspace.
    env
        Environment variables that the engine gets besides those of this process.

    Raises
    ------
    JobError
        If no engine could be started.
    """
    if engine := find(settings.home):
        return engine
    try:
        with FileLock(settings.home / "engine.lock", timeout=START_SECONDS):
            return find(settings.home) or _start(settings.home, env)
    except Timeout as error:
        raise JobError(
            "Another process has been starting the compute engine for too long.",
            hint="Try again; if it stays so, end other scviz processes of this workspace.",
        ) from error


def end(home: Path) -> bool:
    """End the engine of a workspace, by force if need be; False where there is none.

    Its runs end with it, and can be resumed.
    """
    engine = read_engine(home)
    address_file(home).unlink(missing_ok=True)
    if engine is None or not engine.is_alive:
        return False
    process = psutil.Process(engine.pid)
    below = process.children(recursive=True)
    for by_force in (lambda: None, process.terminate, process.kill):
        with suppress(psutil.NoSuchProcess):
            by_force()
        with suppress(psutil.TimeoutExpired):
            process.wait(END_SECONDS)
            break
    for child in below:  # a worker whose engine was ended by force
        with suppress(psutil.NoSuchProcess):
            child.resume()
            child.terminate()
    return True


def _start(home: Path, env: dict[str, str]) -> Engine:
    end(home)  # one that takes no call is no use to anybody
    make_key(engine_key(home))
    with (home / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scviz.jobs.engine"],
            env=importable({**os.environ, **env}),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie is left when it ends
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if engine := find(home):
            return engine
        time.sleep(0.05)
    raise JobError(
        "The compute engine did not start.",
        hint=f"Its own words are in {home / 'engine.log'}; then try again.",
    )


def importable(env: dict[str, str]) -> dict[str, str]:
    """Return an environment in which a new interpreter finds this package: where it is installed, it does already."""
    if IS_INSTALLED:
        return dict(env)
    path = os.pathsep.join(part for part in (str(ROOT), env.get("PYTHONPATH", "")) if part)
    return {**env, "PYTHONPATH": path}


def main(settings: Settings) -> None:
    """Hold a cluster for the workspace until its address file is taken away."""
    import dask
    from distributed import LocalCluster

    from scviz.jobs import no_http  # noqa: F401 - before the scheduler starts
    from scviz.jobs.lines import places

    dask.config.set(QUIET)
    at_a_time = places(settings.workers)
    with LocalCluster(
        n_workers=1,
        threads_per_worker=sum(at_a_time.values()) + SPARE_THREADS,
        resources=at_a_time,
        dashboard_address=None,
        protocol="tls://",
        security=security_of(engine_key(settings.home)),
        host="127.0.0.1",
        memory_limit=0,
    ) as cluster:
        write_engine(settings.home, cluster.scheduler_address)
        hold(cluster, settings.home)


def hold(cluster: LocalCluster, home: Path) -> None:
    """Wait until the address file is taken away; take it away where no Dask worker comes back."""
    seen = time.monotonic()
    while _is_named(home):
        now, scheduler = time.monotonic(), cluster.scheduler
        seen = now if scheduler is not None and scheduler.workers else seen
        if now - seen > ALONE_SECONDS:
            address_file(home).unlink(missing_ok=True)
        time.sleep(min(2.0, ALONE_SECONDS / 4))


def write_engine(home: Path, address: str) -> None:
    """Say where this process listens, to its own user alone."""
    pid = os.getpid()
    engine = Engine(
        address=address,
        pid=pid,
        began=began(pid),
        boot=boot(),
        version=code_version(),
        home=str(home.absolute()),
    )
    draft = address_file(home).with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(engine), file)
    draft.replace(address_file(home))


def _is_named(home: Path) -> bool:
    engine = read_engine(home)
    return engine is not None and engine.pid == os.getpid()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Name the code that an engine and the web side must have in common: runs, and the settings they are given."""
    digest = hashlib.sha256()
    for path in sorted([*Path(__file__).parent.glob("*.py"), CODE / "settings.py"]):
        digest.update(path.read_bytes())
    return f"{scviz.__version__}-{digest.hexdigest()[:12]}"


def boot() -> str:
    """Name the start of the machine that it runs since."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return "unknown"


def began(pid: int) -> str:
    """Tell when a process began, on Linux in ticks that no setting of the clock moves; empty where there is none."""
    try:
        if BOOT.exists():
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return str(psutil.Process(pid).create_time())
    except (OSError, IndexError, ValueError, OverflowError, psutil.Error):
        return ""


if __name__ == "__main__":  # needed: the cluster starts its worker by importing this file again
    try:
        main(Settings.from_env())
    except SettingsError as error:
        sys.exit(f"{error} {error.hint}")
