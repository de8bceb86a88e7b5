"""What the owner of a server may set, by environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the project: app.py, assets, pages."""

GIGABYTE = 10**9
DATAVERSE = "https://dataverse.harvard.edu"
ENRICHR = "https://maayanlab.cloud/Enrichr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are kept and how much may be used."""

    home: Path
    """`SCVIZ_HOME`: the workspace; default `.scviz` in the user's home."""
    data_roots: tuple[Path, ...]
    """`SCVIZ_DATA_ROOTS`: folders whose files may be opened by path; default `data` in the workspace."""
    scheduler: str
    """`SCVIZ_SCHEDULER`: address of a Dask scheduler; empty starts one on this machine."""
    database: str
    """`SCVIZ_DATABASE`: SQLAlchemy URL of the run database; empty means a SQLite file in the workspace."""
    workers: int
    """`SCVIZ_WORKERS`: heavy runs at a time on this machine; default 1."""
    spare: bool
    """`SCVIZ_SPARE`: 0 keeps no process waiting for the next run on this machine, and answers later; default 1."""
    memory_gb: float
    """`SCVIZ_MEMORY_GB`: memory that one run may use, in GB; 0 means most of what is free."""
    login: bool
    """`SCVIZ_LOGIN`: 1 asks for a login (OIDC, set up in `.streamlit/secrets.toml`); default 0."""
    upload_gb: float
    """`SCVIZ_UPLOAD_GB`: largest upload through the browser, in GB; default 0.5."""
    unpack_gb: float
    """`SCVIZ_UNPACK_GB`: most that one file may unpack to, in GB; default 64."""
    dataverse: str
    """`SCVIZ_DATAVERSE`: address of Harvard Dataverse or a mirror, asked when a user presses Download."""
    enrichr: str
    """`SCVIZ_ENRICHR`: address of Enrichr or a mirror, asked for gene sets when a user presses Download."""
    links: str
    """`SCVIZ_LINKS`: address of a mirror that is asked for known links; empty asks Zenodo, OmniPath, ChIP-Atlas."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from environment variables.

        Examples
        --------
        >>> Settings.from_env({"SCVIZ_HOME": "/srv/scviz", "SCVIZ_WORKERS": "2"}).workers
        2
        """
        home = Path(env.get("SCVIZ_HOME") or Path.home() / ".scviz").expanduser()
        roots = [
            Path(part).expanduser() for part in env.get("SCVIZ_DATA_ROOTS", "").split(os.pathsep) if part
        ]
        return cls(
            home=home,
            data_roots=tuple(roots) or (home / "data",),
            scheduler=env.get("SCVIZ_SCHEDULER", ""),
            database=env.get("SCVIZ_DATABASE", ""),
            workers=int(env.get("SCVIZ_WORKERS", "1")),
            spare=env.get("SCVIZ_SPARE", "1") == "1",
            memory_gb=float(env.get("SCVIZ_MEMORY_GB", "0")),
            login=env.get("SCVIZ_LOGIN", "0") == "1",
            upload_gb=float(env.get("SCVIZ_UPLOAD_GB", "0.5")),
            unpack_gb=float(env.get("SCVIZ_UNPACK_GB", "64")),
            dataverse=env.get("SCVIZ_DATAVERSE") or DATAVERSE,
            enrichr=env.get("SCVIZ_ENRICHR") or ENRICHR,
            links=env.get("SCVIZ_LINKS", ""),
        )
