"""Strike runs at random moments and see how each fault ends: `python -m benchmarks.faults`.

Every task that needs no other machine is carried out once without a fault. Then processes are killed or suspended at
random moments of runs of it, and databases, disks, clocks, networks and files are taken away from under others. Each
fault must end with the run done, resumed with a result that is equal to the last bit, or failed with the true reason;
whatever else comes out is counted as broken, and told. A run is waited for as long as anything moves in it, its
processor time included, so that a busy machine breaks none. Root of a Linux machine sees all of it: disks are mounted,
and clocks are set for an engine where a C compiler is; what cannot be done is counted as left out.

    --seconds N      begin no fault after so long (default 1,500)
    --lanes N        so many workspaces with an engine each, at the same time (default 4)
    --seed N         of the moments, and of the order
    --only WORD      kinds of faults that have this word in their name
    --quick          strike processes of short tasks alone
    --log FILE       gets a line for each fault as it ends, after those that it has; parts of the plan that it has as
                     over, of the same seed, are not repeated
    --keep FOLDER    keeps cells, models and what runs find without a fault, for the next time with the same code
    --count FILE...  strike nothing, and count what these logs hold
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import queue as queues
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "jobs")))
sys.path.insert(0, str(ROOT / "tests" / "jobs"))

from benchmarks import fault_cases  # noqa: E402
from benchmarks import fault_kinds as kinds  # noqa: E402
from benchmarks.fault_chains import BLOWS, chain  # noqa: E402
from benchmarks.fault_world import HEAVY, QUICK, LeftOutError, Outcome, Store, World  # noqa: E402

Fault = Callable[[World, random.Random], Iterable[Outcome]]
Planned = tuple[str, str, Fault]
"""Kind, case, and what carries it out."""


def plan(worlds: Path, only: str, seed: int, *, quick: bool) -> list[Planned]:
    """List the faults: their kind, the case that they strike, and what carries them out; long runs come last."""
    rng, short = (
        random.Random(seed),
        [*_others(), *((name, "", act) for name, act in kinds.own_worlds(worlds))],
    )
    first, second = list[Planned](), list[Planned]()
    for case in QUICK if quick else fault_cases.NAMES:
        blows = [*BLOWS, "kill -9 of the child"]
        if case in HEAVY:
            struck = [(first, blows[::2]), (second, blows[1::2])]
        else:
            struck = [(short, [*blows, "kill -9 of the child", "kill -9 of the Dask worker"])]
        for part, all_blows in struck:
            if wanted := [kind for kind in all_blows if only in kind]:
                part.append((" ".join(wanted), case, chain(case, wanted)))
    for part in (short, first, second):
        rng.shuffle(part)
    return [one for one in (*short, *first, *second) if only in one[0]]


def _others() -> list[Planned]:
    """List the faults that strike one run each."""
    kill, hold = signal.SIGKILL, signal.SIGSTOP
    locked = {case: 60 if case == "trees" else 8 for case in (*QUICK[:5], "trees", "map")}
    struck: list[tuple[str, Callable[[str], Fault], Iterable[str]]] = [
        (
            "kill -9 of the web server",
            lambda case: kinds.striking_web(case, kill),
            (*QUICK, "trees", "sweep"),
        ),
        ("SIGSTOP of the web server", lambda case: kinds.striking_web(case, hold), QUICK[:4]),
        ("SIGSTOP of the engine", kinds.holding_engine, (*QUICK[3:6], "trees")),
        ("database locked", lambda case: kinds.locking(case, locked[case]), locked),
        ("stale or foreign engine.json", kinds.engine_file, kinds.FILES),
        ("two servers at once", kinds.two_servers, QUICK[:3]),
    ]
    return [(kind, case, act(case)) for kind, act, cases in struck for case in cases]


class Found:
    """How faults ended, told and written down as they do."""

    def __init__(self, log: str) -> None:
        self.outcomes: list[Outcome] = []
        self._log, self._lock = log, threading.Lock()
        self.over = {
            line["over"] for line in read_lines([log] if Path(log).is_file() else []) if "over" in line
        }
        """Parts of the plan that were carried out before."""

    def add(self, one: Outcome, seconds: float) -> None:
        """Take in how a fault ended, and how long it and those before it in the same world took."""
        with self._lock:
            self.outcomes.append(one)
            print(f"{one.kind} | {one.case} | {one.ending} | {one.words}", flush=True)
            self._write(asdict(one) | {"at": time.time(), "took": seconds})

    def end(self, part: str) -> None:
        """Note that a part of the plan was carried out."""
        with self._lock:
            self._write({"over": part})

    def _write(self, line: dict[str, Any]) -> None:
        if self._log:
            with Path(self._log).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def lane(world: World, todo: queues.Queue[Planned], found: Found, options: argparse.Namespace) -> None:
    """Carry faults out, one after the other, until there are none or the time is over."""
    while time.monotonic() < options.deadline:
        try:
            name, case, fault = todo.get_nowait()
        except queues.Empty:
            return
        part = f"{options.seed} {name} {case}"
        if part in found.over:
            continue
        rng, begun = random.Random(part), time.monotonic()
        try:
            for one in fault(world, rng):
                found.add(one, time.monotonic() - begun)
        except LeftOutError as why:
            found.add(Outcome(name, case, "left out", str(why)), 0.0)
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            traceback.print_exc()
            words = f"{type(error).__name__}: {error}"
            found.add(Outcome(name, case, "broken", words), time.monotonic() - begun)
        found.end(part)


def read_logs(files: Iterable[str]) -> list[Outcome]:
    """Read what earlier calls have written down."""
    lines = (line for line in read_lines(files) if "kind" in line)
    return [Outcome(**{name: line[name] for name in Outcome.__dataclass_fields__}) for line in lines]


def read_lines(files: Iterable[str]) -> list[dict[str, Any]]:
    """Read the lines of logs: of faults, and of parts of the plan that are over."""
    return [json.loads(line) for file in files for line in Path(file).read_text().splitlines()]


def table(found: list[Outcome]) -> str:
    """Write how many faults of each kind ended how."""
    endings = ("done", "resumed, equal", "failed with its reason", "broken", "left out")
    rows = [f"| fault | {' | '.join(endings)} |", f"| --- |{' --- |' * len(endings)}"]
    count = Counter((one.kind, one.ending) for one in found)
    for kind in sorted({one.kind for one in found}):
        rows.append(f"| {kind} | {' | '.join(str(count[kind, ending] or '') for ending in endings)} |")
    total = Counter(one.ending for one in found)
    rows.append(
        f"| all, {sum(total.values()) - total['left out']} | {' | '.join(str(total[one] or '') for one in endings)} |"
    )
    return "\n".join(rows)


def main() -> int:
    """Strike, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1500.0)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--log", default="")
    parser.add_argument("--keep", default="")
    parser.add_argument("--count", nargs="+", default=[])
    options = parser.parse_args()
    if options.count:
        print(table(read_logs(options.count)))
        return 0
    logging.disable(logging.CRITICAL)  # what Dask says of lost connections
    begun = time.monotonic()
    found = Found(options.log)
    with tempfile.TemporaryDirectory(prefix="scviz-faults-", ignore_cleanup_errors=True) as folder:
        not_begun = strike(Path(folder), found, options)
    print(f"\n{table(found.outcomes)}\n\n{time.monotonic() - begun:.0f} s; not begun: {not_begun}")
    return int(any(one.ending == "broken" for one in found.outcomes))


def strike(folder: Path, found: Found, options: argparse.Namespace) -> int:
    """Carry out what there is time for, in lanes side by side; return how many of the plan were not begun."""
    store = Store(Path(options.keep or folder / "store").resolve())
    options.deadline = time.monotonic() + options.seconds
    todo: queues.Queue[Planned] = queues.Queue()
    for one in plan(folder, options.only, options.seed, quick=options.quick):
        todo.put(one)

    def work(number: int) -> None:
        world = World(store, folder / f"lane {number}")
        try:
            lane(world, todo, found, options)
        finally:
            world.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(options.lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return todo.qsize()


if __name__ == "__main__":
    sys.exit(main())
