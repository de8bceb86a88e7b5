"""Processor time of a rerun of each page: `python -m benchmarks.reruns [--pages explore ...] [--profile]`.

Opens the demo cells with their finished results and runs every page in this process, first to fill its caches, then a
few times more: what one person's click costs the server, without the browser. `--profile` also prints where it goes.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from scviz.datasets.demo import open_demo
from scviz.settings import ROOT, Settings
from scviz.workspace import Workspace
from tests.browser.conftest import end_engine

PAGES = ("home", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__"))
PATIENCE = 300.0


def page_of(name: str, dataset: str) -> AppTest:
    """Open a page as a link does."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    page.query_params["dataset"] = dataset
    page.run()
    return page if name == "home" else page.switch_page(f"pages/{name}.py").run()


def measured(page: AppTest, n: int) -> tuple[float, pstats.Stats]:
    """Return seconds of the processor that a rerun takes, the least of some, and where one more spends them."""
    each = []
    for _ in range(n):
        begun = time.process_time()
        page.run()
        each.append(time.process_time() - begun)
    if page.exception:
        raise RuntimeError(page.exception[0].message)
    return min(each), _profiled(page)


def _profiled(page: AppTest) -> pstats.Stats:
    """Run a page once more, its thread watched."""
    from streamlit.runtime.scriptrunner import script_runner

    profile, original = cProfile.Profile(), script_runner.exec_func_with_error_handling

    def watched(*arguments: object, **named: object) -> object:
        return profile.runcall(original, *arguments, **named)

    script_runner.exec_func_with_error_handling = watched  # type: ignore[assignment]
    try:
        page.run()
    finally:
        script_runner.exec_func_with_error_handling = original
    return pstats.Stats(profile)


def main() -> None:
    """Print a row for each page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", nargs="*", choices=PAGES, default=PAGES)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ |= {"SCVIZ_HOME": str(home), "SCVIZ_SPARE": "0"}
        dataset = open_demo(Workspace.from_settings(Settings.from_env())).id
        print("| page | CPU s of a rerun |\n| --- | ---: |", flush=True)
        try:
            for name in options.pages:
                seconds, stats = measured(page_of(name, dataset), options.times)
                print(f"| {name} | {seconds:.3f} |", flush=True)
                if options.profile:
                    stats.sort_stats("cumulative").print_stats(70)
        finally:
            end_engine(home)


if __name__ == "__main__":
    main()
