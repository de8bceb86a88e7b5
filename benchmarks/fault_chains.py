"""Blows that fall on one run after the other: its processes are killed or suspended, and it is resumed in between."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from benchmarks.fault_reasons import STOPPED, is_true
from benchmarks.fault_world import Outcome, World, moment
from scviz.jobs import engine
from scviz.jobs.engine import began
from scviz.jobs.processes import read_processes

Blow = Callable[[World, str, random.Random], bool]
FINDING_SECONDS = 20.0
TRIES = 4


def pid_of(world: World, run: str, who: str) -> int:
    """Find the process to be struck; 0 where it is not there yet or any more."""
    if who == "engine":
        found = engine.read_engine(world.home)
        return found.pid if found and found.is_alive else 0
    known = read_processes(world.queue.workspace.run_folder(run))
    if known is None:
        return 0
    pid, since = (known.child, known.child_began) if who == "child" else (known.watcher, known.watcher_began)
    return pid if since and began(pid) == since else 0


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def found_at_work(world: World, run: str, who: str) -> int:
    """Wait for the process of a run that is at work; 0 once the run has ended."""
    deadline = time.monotonic() + FINDING_SECONDS
    while time.monotonic() < deadline:
        if world.queue.get(run).ended:
            return 0
        if pid := pid_of(world, run, who):
            return pid
        time.sleep(0.1)
    return 0


def killing(who: str) -> Blow:
    """Kill a process."""

    def blow(world: World, run: str, _: random.Random) -> bool:
        pid = found_at_work(world, run, who)
        send(pid, signal.SIGKILL)
        return bool(pid)

    return blow


def holding(who: str) -> Blow:
    """Suspend a process; then either press Stop, or see it given up or go on."""

    def blow(world: World, run: str, rng: random.Random) -> bool:
        pid, stop = found_at_work(world, run, who), rng.random() < 0.5
        if not pid:
            return False
        send(pid, signal.SIGSTOP)
        try:
            time.sleep(3)
            if stop:
                world.queue.stop(run)
            if stop or who == "watcher":
                world.ended(run)
        finally:
            if began(pid):
                send(pid, signal.SIGCONT)
        return True

    return blow


BLOWS: dict[str, Blow] = {
    "kill -9 of the child": killing("child"),
    "kill -9 of the Dask worker": killing("watcher"),
    "kill -9 of the engine": killing("engine"),
    "SIGSTOP of the child": holding("child"),
    "SIGSTOP of the Dask worker": holding("watcher"),
}


def chain(case: str, kinds: Sequence[str]) -> Callable[[World, random.Random], Iterator[Outcome]]:
    """Strike a run of the case at a random moment of each of its attempts; after one that gets done, another."""

    def fault(world: World, rng: random.Random) -> Iterator[Outcome]:
        world.equal_to(case)
        struck, order = Struck(world, case, rng), list(kinds)
        rng.shuffle(order)
        for kind in order:
            yield from struck.once_more(kind)
        yield from struck.settled()

    return fault


class Struck:
    """A run, and what fell upon it.

    Parameters
    ----------
    world
        Where it is carried out.
    case
        What is asked.
    rng
        Chooses the moments.
    """

    def __init__(self, world: World, case: str, rng: random.Random) -> None:
        self._world, self._case, self._rng = world, case, rng
        self._run, self._struck = "", list[tuple[str, str]]()

    def once_more(self, kind: str) -> Iterator[Outcome]:
        """Strike the run, or another one where it is done; what is settled by that is returned."""
        for _ in range(TRIES):
            try:
                words = self._blow(kind)
            except Exception as error:  # noqa: BLE001 - it is what is looked for
                yield Outcome(kind, self._case, "broken", f"{type(error).__name__}: {error}")
                self._run, self._struck = "", []
                return
            if words is not None:
                self._struck.append((kind, words))
            if not words:
                yield from self.settled()
            if words is not None:
                return
        yield Outcome(kind, self._case, "left out", "each run was done before it was struck")

    def _blow(self, kind: str) -> str | None:
        """Return what is said of the run then, empty where it gets done; None where it was done before."""
        world = self._world
        self._run = self._run or world.start(self._case)
        ended = moment(world, self._case, self._run, self._rng).ended
        if ended or not BLOWS[kind](world, self._run, self._rng):
            return None
        row = world.ended(self._run)
        if row.state == "done":
            return ""
        world.queue.resume(self._run)
        return row.message or f"{STOPPED} ({row.state})"

    def settled(self) -> list[Outcome]:
        """Finish the run, and say how each fault that struck it ended."""
        (run, self._run), (struck, self._struck) = (self._run, ""), (self._struck, [])
        try:
            ends = self._world.verdict(None, self._case, run, *(words for _, words in struck)) if run else []
        except Exception as error:  # noqa: BLE001
            said = f"{type(error).__name__}: {error}"
            return [Outcome(kind, self._case, "broken", said) for kind, _ in struck]
        return [
            Outcome(kind, self._case, one.ending, one.words)
            if is_true(kind, words)
            else Outcome(kind, self._case, "broken", f"not the reason: {words}")
            for (kind, words), one in zip(struck, ends, strict=True)
        ]
