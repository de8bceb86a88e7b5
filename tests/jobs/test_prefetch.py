"""Published weights that a server has from its start, if its owner says so twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.cli import prefetch as wanting
from scviz.cli.prefetch import prefetch
from scviz.errors import SettingsError
from scviz.jobs.queue import Submitted
from scviz.settings import Settings
from scviz.workspace import CheckpointInfo, Workspace
from scviz.workspace.people import LOCAL, SERVER
from scviz.workspace.store import write_checkpoint_info


class Queue:
    """Keeps what is handed in."""

    asked: list[tuple[str, object]] = []  # noqa: RUF012

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def submit(self, task: str, request: object, owner: str) -> Submitted:
        assert owner == (SERVER if self.settings.login else LOCAL)
        self.asked.append((task, request))
        return Submitted(run=f"run {len(self.asked)}", cached=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    monkeypatch.setattr(wanting, "RunQueue", Queue)
    monkeypatch.setattr(Queue, "asked", [])
    return Queue.asked


def settings(tmp_path: Path, **more: str) -> Settings:
    return Settings.from_env(
        {"SCVIZ_HOME": str(tmp_path), **{f"SCVIZ_{name}": v for name, v in more.items()}}
    )


def test_what_is_wanted_and_accepted_is_downloaded(tmp_path: Path, asked: list[tuple[str, object]]) -> None:
    given = settings(tmp_path, PREFETCH="geneformer-v1-10m, Geneformer-V2-104M", ACCEPT_LICENSES="Geneformer")
    assert prefetch(given, Workspace(tmp_path)) == ["run 1", "run 2"]
    assert [(task, request.released, request.accepted_licence) for task, request in asked] == [  # type: ignore[attr-defined]
        ("downloading", "Geneformer-V1-10M", True),
        ("downloading", "Geneformer-V2-104M", True),
    ]
    assert Settings.from_env(given.as_env()) == given


def test_what_is_here_is_not_downloaded_again(tmp_path: Path, asked: list[tuple[str, object]]) -> None:
    info = CheckpointInfo(
        id="geneformer/mine-1",
        model="geneformer",
        name="Mine",
        description="",
        licence="",
        n_parameters=1,
        n_genes=1,
        size_mb=1.0,
        released="Geneformer-V1-10M",
    )
    folder = tmp_path / "checkpoints" / "geneformer" / "mine-1"
    folder.mkdir(parents=True)
    write_checkpoint_info(info, folder)
    given = settings(tmp_path, PREFETCH="Geneformer-V1-10M", ACCEPT_LICENSES="geneformer")
    assert prefetch(given, Workspace(tmp_path)) == []
    assert asked == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"PREFETCH": "Geneformer-V1-10M"}, "whose license nobody has accepted"),
        (
            {"PREFETCH": "Geneformer-V9", "ACCEPT_LICENSES": "geneformer"},
            "no published weights 'Geneformer-V9'",
        ),
        ({"PREFETCH": "scGPT-brain", "ACCEPT_LICENSES": "scgpt"}, "by hand only"),
        ({"PREFETCH": "models.ckpt", "ACCEPT_LICENSES": "scfoundation"}, "lacks"),
        ({"ACCEPT_LICENSES": "gpt"}, "SCVIZ_ACCEPT_LICENSES names gpt"),
    ],
)
def test_what_cannot_be_stops_the_start(
    tmp_path: Path, asked: list[tuple[str, object]], more: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        prefetch(settings(tmp_path, **more), Workspace(tmp_path))
    assert words in str(refusal.value)
    assert refusal.value.hint
    assert asked == []


def test_names_with_blanks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SCVIZ_PREFETCH"):
        settings(tmp_path, PREFETCH="Geneformer V1")
