"""Train, judge or ship one family: `python -m benchmarks.blood train geneformer --data DATA --state STATE`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.blood.corpus import read_corpus
from benchmarks.blood.judge import judge
from benchmarks.blood.ship import ship
from benchmarks.blood.start import FAMILIES
from benchmarks.blood.train import train


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blood", description=__doc__)
    parser.add_argument("what", choices=("train", "judge", "ship"))
    parser.add_argument("family", choices=tuple(FAMILIES))
    parser.add_argument("--data", type=Path, required=True, help="folder of the public cells")
    parser.add_argument("--state", type=Path, required=True, help="folder in which it goes on")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--cells", type=int, default=500, help="cells of each held-out part that judge")
    options = parser.parse_args()
    started, cpu = time.perf_counter(), time.process_time()

    def tell(words: str) -> None:
        seconds = f"{time.perf_counter() - started:.0f} s, {time.process_time() - cpu:.0f} CPU"
        print(f"[{seconds}] {options.family}: {words}", flush=True)

    corpus = read_corpus(options.data, options.state)
    folder = options.state / options.family
    folder.mkdir(parents=True, exist_ok=True)
    if options.what == "train":
        train(options.family, corpus, folder, epochs=options.epochs, tell=tell)
    if options.what == "judge":
        judge(options.family, corpus, folder, n_cells=options.cells, tell=tell)
    if options.what == "ship":
        ship(options.family, corpus, folder, tell=tell)


if __name__ == "__main__":
    main()
