"""Who an engine is, who may talk with it, and what becomes of one that is foreign, stale, hung, old or stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import psutil
import pytest
from distributed import Client
from example_tasks import counting

from scviz.cli import main
from scviz.jobs import connection
from scviz.jobs import engine as ending
from scviz.jobs.engine import address_file, find, read_engine, write_engine
from scviz.jobs.keys import KEY, engine_key, make_key, security_of
from scviz.jobs.queue import RunQueue
from scviz.workspace import Workspace
from tests.jobs.conftest import settings_for
from tests.jobs.waiting import wait_for, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def count(queue: RunQueue, label: str, total: int = 2) -> str:
    return queue.submit(COUNTING, counting.Request(total=total, label=label)).run


def up(queue: RunQueue) -> None:
    """Have an engine."""
    wait_until_done(queue, count(queue, "to have an engine"))


def test_files_of_an_engine_are_for_its_user_alone(queue: RunQueue) -> None:
    up(queue)
    home = queue.settings.home
    assert mode(home) == mode(engine_key(home)) == 0o700
    assert [mode(path) for path in sorted(engine_key(home).iterdir())] == [0o600, 0o600]
    assert mode(address_file(home)) == 0o600


def test_an_engine_listens_on_loopback_and_has_no_http_port(queue: RunQueue) -> None:
    up(queue)
    engine = find(queue.settings.home)
    family = [psutil.Process(engine.pid), *psutil.Process(engine.pid).children(recursive=True)]
    ports = {
        (one.laddr.ip, one.laddr.port)
        for process in family
        for one in process.net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    assert engine.address.startswith("tls://127.0.0.1:")
    assert {ip for ip, _ in ports} == {"127.0.0.1"}
    assert len(ports) == 3, "scheduler, worker and the nanny of the worker"
    for _, port in ports:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as call:
            call.sendall(b"GET / HTTP/1.0\r\n\r\n")
            call.settimeout(10)
            assert not _answer(call).startswith(b"HTTP/")


def _answer(call: socket.socket) -> bytes:
    try:
        return call.recv(100)
    except OSError:
        return b""


@pytest.mark.parametrize("with_key", [False, True])
def test_who_has_not_its_key_is_not_let_in(queue: RunQueue, tmp_path: Path, *, with_key: bool) -> None:
    up(queue)
    address = find(queue.settings.home).address
    make_key(tmp_path)
    how = {"security": security_of(tmp_path)} if with_key else {}
    called = address if with_key else address.replace("tls://", "tcp://")
    with pytest.raises((OSError, TypeError, ValueError)):
        Client(called, timeout=5, set_as_default=False, **how)


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can be another user")
def test_another_user_of_the_machine_reads_nothing() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        home.mkdir(mode=0o755)  # as earlier versions made it
        Workspace.from_settings(settings_for(home))
        make_key(engine_key(home))
        write_engine(home, "tls://127.0.0.1:1")
        open_to_all = Path(folder) / "open.txt"
        open_to_all.write_text("this test can find what is open")
        open_to_all.chmod(0o644)
        names = [home / "runs", address_file(home), engine_key(home) / KEY, home, open_to_all]
        look = 'for n; do if test -d "$n"; then ls "$n"; else cat "$n"; fi >/dev/null 2>&1 && echo yes || echo no; done'
        found = subprocess.run(
            ["/bin/sh", "-c", look, "sh", *map(str, names)],
            capture_output=True,
            text=True,
            check=True,
            user=65534,
            group=65534,
            extra_groups=[],
            cwd="/",
        )
    assert found.stdout.split() == ["no"] * 4 + ["yes"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", '{"pid": 1}', "[" * 200_000, '{"address": 1, "pid": "x", "began": 2}', "\x00" * 50],
)
def test_what_is_no_file_of_an_engine_is_none(tmp_path: Path, content: str) -> None:
    address_file(tmp_path).write_text(content)
    assert read_engine(tmp_path) is None
    assert find(tmp_path) is None


def test_a_process_that_began_at_another_time_or_before_the_machine_is_no_engine(queue: RunQueue) -> None:
    up(queue)
    engine = find(queue.settings.home)
    assert engine.is_alive
    for change in ({"began": "1"}, {"began": ""}, {"boot": "another"}, {"pid": os.getpid()}, {"pid": 2**40}):
        assert not replace(engine, **change).is_alive


@pytest.mark.slow
def test_the_engine_of_a_moved_workspace_takes_no_run_for_it(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        write_engine(tmp_path / "home", f"tls://127.0.0.1:{listening.getsockname()[1]}")
        found = find(tmp_path / "home")
        assert found is not None
        (tmp_path / "other name").symlink_to(tmp_path / "home")
        assert find(tmp_path / "other name") == found
        (tmp_path / "home").rename(tmp_path / "moved")
        assert read_engine(tmp_path / "moved") == found
        assert find(tmp_path / "moved") is None
        older = {name: value for name, value in asdict(found).items() if name != "home"}
        address_file(tmp_path / "moved").write_text(json.dumps(older))
        assert find(tmp_path / "moved") == replace(found, home="")


def test_an_address_that_another_program_has_taken_is_replaced(new_queue: NewQueue) -> None:
    queue = new_queue()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tls://127.0.0.1:{silent.getsockname()[1]}"
        left = {"address": address, "pid": os.getpid(), "began": "1", "boot": "x", "version": "0"}
        address_file(queue.settings.home).write_text(json.dumps(left))
        wait_until_done(queue, count(queue, "one"))
    assert find(queue.settings.home).address != address


@pytest.mark.slow
def test_an_engine_that_hangs_is_replaced(new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    old = new_queue()
    up(old)
    hung = find(old.settings.home)
    old.close()
    os.kill(hung.pid, signal.SIGSTOP)
    monkeypatch.setattr(connection, "HUNG_SECONDS", 1.0)
    monkeypatch.setattr(ending, "END_SECONDS", 1.0)
    queue = new_queue()
    wait_until_done(queue, count(queue, "two"))
    assert find(queue.settings.home).pid != hung.pid
    wait_for(lambda: not hung.is_alive, "the hung one has ended")


@pytest.mark.slow
def test_an_engine_of_another_version_finishes_its_runs_and_makes_room(new_queue: NewQueue) -> None:
    queue = new_queue()
    long = count(queue, "long", total=60)
    wait_for_units(queue, long, 1)
    old = find(queue.settings.home)
    address_file(queue.settings.home).write_text(json.dumps(asdict(replace(old, version="0.1"))))
    wait_until_done(queue, count(queue, "meanwhile"))
    assert find(queue.settings.home).pid == old.pid, "it was at work"
    wait_until_done(queue, long)
    wait_until_done(queue, count(queue, "afterwards"))
    assert find(queue.settings.home).pid != old.pid


@pytest.mark.slow
def test_stop_ends_runs_so_that_they_can_be_resumed_and_the_engine(
    new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = new_queue()
    run = count(queue, "to be stopped", total=500)
    wait_for_units(queue, run, 3)
    engine = find(queue.settings.home)
    monkeypatch.setenv("SCVIZ_HOME", str(queue.settings.home))
    assert main(["stop"]) == 0
    assert "1 run was stopped" in capsys.readouterr().out
    assert queue.get(run).state == "stopped"
    assert not engine.is_alive
    assert find(queue.settings.home) is None
    assert main(["stop"]) == 0
    assert "No engine" in capsys.readouterr().out


@pytest.mark.slow
def test_a_dask_worker_that_takes_long_to_come_back_is_not_given_up(queue: RunQueue) -> None:
    up(queue)
    engine = psutil.Process(find(queue.settings.home).pid)

    def worker() -> psutil.Process | None:
        for one in engine.children():
            with suppress(psutil.Error):  # a zombie has no command line
                if "spawn_main" in " ".join(one.cmdline()):
                    return one
        return None

    first = worker()
    first.kill()
    wait_for(lambda: (now := worker()) is not None and now.pid != first.pid, "another worker is started")
    second = worker()
    second.suspend()
    time.sleep(17)  # Dask would let it go after 15
    second.resume()
    wait_until_done(queue, count(queue, "later"))
    assert worker().pid == second.pid


def test_an_engine_whose_worker_does_not_come_back_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "ALONE_SECONDS", 0.4)
    cluster = SimpleNamespace(scheduler=SimpleNamespace(workers={"tls://127.0.0.1:1": object()}))
    write_engine(tmp_path, "tls://127.0.0.1:2")
    holding = threading.Thread(target=ending.hold, args=(cluster, tmp_path), daemon=True)
    holding.start()
    time.sleep(1.2)
    assert holding.is_alive()
    assert address_file(tmp_path).exists()
    cluster.scheduler.workers.clear()
    holding.join(20)
    assert not holding.is_alive()
    assert not address_file(tmp_path).exists()
