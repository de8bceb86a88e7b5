"""Strike runs at random moments and see how each fault ends: `python -m benchmarks.faults`.

Every task that needs no other machine is carried out once without a fault. Then processes are killed or suspended at
random moments of runs of it, and databases, disks, clocks, networks and files are taken away from under others. Each
fault must end with the run done, resumed with a result that is equal to the last bit, or failed with the true reason;
whatever else comes out is counted as broken, and told. Root of a Linux machine sees all of it: disks are mounted, and
clocks are set for an engine by libfaketime where that is installed; what cannot be done is counted as left out.

    --seconds N     begin no fault after so long (default 1,500)
    --lanes N       so many workspaces with an engine each, at the same time (default 4)
    --seed N        of the moments
    --only WORD     kinds of faults that have this word in their name
"""

from __future__ import annotations

import argparse
import logging
import os
import queue as queues
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "jobs")))
sys.path.insert(0, str(ROOT / "tests" / "jobs"))

from benchmarks import fault_cases  # noqa: E402
from benchmarks import fault_kinds as kinds  # noqa: E402
from benchmarks.fault_world import HEAVY, QUICK, LeftOutError, Outcome, World  # noqa: E402

Fault = Callable[[World, random.Random], list[Outcome]]


def plan(worlds: Path, only: str) -> list[tuple[str, Fault]]:
    """List the faults: a name each, and what carries it out."""
    cases = list(fault_cases.NAMES)
    planned: list[tuple[str, Fault]] = []
    for case in cases:
        planned.append(("kill -9 of the child", kinds.killing("child", case, times=3)))
        planned.append(("kill -9 of the Dask worker", kinds.killing("watcher", case, times=2)))
        planned.append(("kill -9 of the engine", kinds.killing("engine", case, times=1)))
    planned += [("kill -9 of the web server", kinds.killing_web(case)) for case in (*QUICK, *HEAVY[:4])]
    planned += [("SIGSTOP of the child", kinds.holding("child", case)) for case in (*QUICK[:5], *HEAVY)]
    planned += [
        ("SIGSTOP of the Dask worker", kinds.holding("watcher", case)) for case in (*QUICK[:3], *HEAVY[:4])
    ]
    planned += [("SIGSTOP of the engine", kinds.holding("engine", case)) for case in (*QUICK[:2], *HEAVY[:2])]
    planned += [
        ("database locked", kinds.locking(case, 60 if case == "map" else 8))
        for case in (*QUICK[:5], *HEAVY[:3])
    ]
    planned += [("stale or foreign engine.json", kinds.engine_file(how)) for how in kinds.FILES]
    planned += [("two servers at once", kinds.two_servers(case)) for case in QUICK[:3]]
    own = kinds.own_worlds(worlds)
    planned += own
    random.Random(0).shuffle(planned)
    return [(name, fault) for name, fault in planned if only in name]


def lane(
    world: World, todo: queues.Queue[tuple[str, Fault]], found: list[Outcome], options: argparse.Namespace
) -> None:
    """Carry faults out, one after the other, until there are none or the time is over."""
    while time.monotonic() < options.deadline:
        try:
            name, fault = todo.get_nowait()
        except queues.Empty:
            return
        rng = random.Random(f"{options.seed} {name} {todo.qsize()}")
        try:
            outcomes = fault(world, rng)
        except LeftOutError as why:
            outcomes = [Outcome(name, "", "left out", str(why))]
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            traceback.print_exc()
            outcomes = [Outcome(name, "", "broken", f"{type(error).__name__}: {error}")]
        for one in outcomes:
            print(f"{one.kind} | {one.case} | {one.ending} | {one.words}", flush=True)
        found += outcomes


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
    options = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says of lost connections
    begun = time.monotonic()
    options.deadline = begun + options.seconds
    found: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="scviz-faults-") as folder:
        todo: queues.Queue[tuple[str, Fault]] = queues.Queue()
        for one in plan(Path(folder), options.only):
            todo.put(one)

        def work(number: int) -> None:
            world = World(Path(folder) / f"lane {number}")
            try:
                lane(world, todo, found, options)
            finally:
                world.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(options.lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"\n{table(found)}\n\n{time.monotonic() - begun:.0f} s; not begun: {todo.qsize()}")
    return int(any(one.ending == "broken" for one in found))


if __name__ == "__main__":
    sys.exit(main())
