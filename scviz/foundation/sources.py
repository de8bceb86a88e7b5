"""Fetch published weights from where their authors put them: the files named, whole, checked; worker only."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfFileMetadata, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError
from huggingface_hub.file_download import http_get

from scviz.datasets.connection_words import why_not_fetched
from scviz.errors import CheckpointError
from scviz.foundation.card import ReleasedCheckpoint, ReleasedFile
from scviz.foundation.published import sha256
from scviz.foundation.weights import refuse_placeholder
from scviz.progress import Progress, Report


def download(
    released: ReleasedCheckpoint, target: Path, *, endpoint: str | None = None, report: Report
) -> None:
    """Fetch the files of published weights into one folder, without the folders of their repository.

    A file has its name only when it is whole and checked. What was cut off goes on where it ended.

    Parameters
    ----------
    endpoint
        Address that answers like huggingface.co, such as a mirror; by default that of the environment
        variable `HF_ENDPOINT`, else huggingface.co.

    Raises
    ------
    CheckpointError
        If the place cannot be reached, lacks a file, or has another content than was published.
    """
    target.mkdir(parents=True, exist_ok=True)
    endpoint = endpoint or os.environ.get("HF_ENDPOINT") or None
    try:
        _fetch_absent(released, target, endpoint=endpoint, report=report)
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        closed = isinstance(error, GatedRepoError)
        raise CheckpointError(
            f"{released.hub} {'is open to registered users only' if closed else 'lacks a file of'} {released.name}.",
            hint="Download the files through a browser into a folder of this server and add the folder.",
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise CheckpointError(
            f"{released.name} could not be downloaded from {released.hub}. "
            f"{why_not_fetched(error, _host(endpoint))}",
            hint="Resume when that is mended: what is here is kept. On a server "
            "without internet, copy the files into a folder of it and add the folder on the Models page.",
        ) from error


def _fetch_absent(
    released: ReleasedCheckpoint, target: Path, *, endpoint: str | None, report: Report
) -> None:
    """Fetch the files that are not there yet, one after the other."""
    absent = [file for file in released.files if not (target / file.name).exists()]
    found = {file: _ask(released, file, endpoint) for file in absent}
    total = sum(metadata.size or 0 for metadata in found.values())
    done = 0
    for file, metadata in found.items():
        url = hf_hub_url(released.hub, file.path, revision=metadata.commit_hash, endpoint=endpoint)
        part = _part(target, file, metadata)
        bar = _bar(report, stage=f"Downloading {file.name}", before=done, total=total)
        _fetch(url, metadata=metadata, part=part, bar=bar)
        _check(file, part)
        part.replace(target / file.name)
        done += metadata.size or 0


def _ask(released: ReleasedCheckpoint, file: ReleasedFile, endpoint: str | None) -> HfFileMetadata:
    """Ask for the size and version of a file; nobody's access token is sent along."""
    return get_hf_file_metadata(hf_hub_url(released.hub, file.path, endpoint=endpoint), token=False)


def _part(target: Path, file: ReleasedFile, metadata: HfFileMetadata) -> Path:
    """Name the unfinished file by its version, so that parts of two versions never meet."""
    version = hashlib.sha256((metadata.etag or "").encode()).hexdigest()[:12]
    folder = target / ".parts" / version
    folder.mkdir(parents=True, exist_ok=True)
    return folder / file.name


def _fetch(url: str, *, metadata: HfFileMetadata, part: Path, bar: type) -> None:
    """Read what is still absent of a file.

    The hub's own function for whole files starts anew after every interruption, so the one below it is used.
    """
    headers = {"Accept-Encoding": "identity"}  # only then do positions in the answer and in the file agree
    with part.open("ab") as content:
        here = content.tell()
        http_get(url, content, resume_size=here, headers=headers, expected_size=metadata.size, tqdm_class=bar)


def _check(file: ReleasedFile, part: Path) -> None:
    """Refuse a file that is not what was published; it is thrown away, so that it can be fetched again."""
    try:
        refuse_placeholder(part)
        if not sha256(part).startswith(file.sha256):
            raise CheckpointError(
                f"The file {file.name} is not the file that was published: its SHA-256 does not begin with "
                f"{file.sha256[:12]}.",
                hint="Try once more. If it stays so, its authors may have changed it: look at their page, and "
                "add the file by hand if you trust it.",
            )
    except CheckpointError:
        part.unlink()
        raise


def _bar(report: Report, *, stage: str, before: int, total: int) -> type:
    """Return what the hub's library takes for a progress bar: it reports bytes of the whole download."""

    class Bar:
        def __init__(self, *, initial: int = 0, **others: Any) -> None:
            self.done = before + initial
            self.update(0)

        def update(self, n_bytes: int) -> None:
            self.done += n_bytes
            report(Progress(stage=stage, done=self.done, total=total))

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: object) -> None:
            """Leave nothing behind."""

    return Bar


def _host(endpoint: str | None) -> str:
    """Name the server that is asked."""
    return httpx2.URL(endpoint).host if endpoint else "huggingface.co"
