"""How the package is built: the dashboard's files, which lie at the top of the repository, go along in `scviz/site`."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

TOP = Path(__file__).resolve().parent.parent
SITE = ("dashboard.py", "app.py", "pages", "assets", ".streamlit/config.toml")
"""What `scviz serve` shows; never `.streamlit/secrets.toml`."""
LEFT_OUT = ("__pycache__", "screenshots", "make*.py")


class WithSite(build_py):
    """Copies the dashboard's files beside the code, unless they are used where they lie."""

    def run(self) -> None:
        """Build anew: what an earlier build has left and nobody wants any more must not go along."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        for source in _site_files():
            target = Path(self.build_lib) / "scviz" / "site" / source.relative_to(TOP)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_source_files(self) -> list[str]:
        """Name what a source distribution needs."""
        own = [source.relative_to(TOP).as_posix() for source in (*_site_files(), Path(__file__).resolve())]
        return [*super().get_source_files(), *own]


def _site_files() -> list[Path]:
    found = [
        path for name in SITE for path in ((TOP / name).rglob("*") if (TOP / name).is_dir() else [TOP / name])
    ]
    return sorted(path for path in found if path.is_file() and not _is_left_out(path.relative_to(TOP)))


def _is_left_out(path: Path) -> bool:
    return any(Path(part).match(pattern) for part in path.parts for pattern in LEFT_OUT)
