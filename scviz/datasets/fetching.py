"""Fetch a file from an address and unpack it, with limits; worker only."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import httpx2

from scviz.datasets.connection_words import why_not_fetched
from scviz.errors import DataError, UnreadableFileError, UnsafeFileError
from scviz.metrics.evidence import counted
from scviz.progress import Progress, Report, silent

PIECE = 1 << 18
SECONDS = 30.0
"""How long a place may be silent."""


def fetch(
    url: str, target: Path, *, most_bytes: int, stage: str, by_hand: str, report: Report = silent
) -> None:
    """Fetch one file; it has its name only when it is whole. What was cut off goes on where it ended.

    Parameters
    ----------
    most_bytes
        Largest file that is taken.
    stage
        What is being done, for the report.
    by_hand
        What to do where the place cannot be reached.

    Raises
    ------
    DataError
        If the place cannot be reached, has no such file, or the file is too large.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    here = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # only then do positions in the answer and in the file agree
    if here:
        headers["Range"] = f"bytes={here}-"
    try:
        with httpx2.stream("GET", url, headers=headers, follow_redirects=True, timeout=SECONDS) as answer:
            if not (here and answer.headers.get("Content-Range") == f"bytes */{here}"):  # else all is here
                answer.raise_for_status()
                _write(answer, part, most_bytes=most_bytes, stage=stage, report=report)
    except httpx2.HTTPStatusError as error:
        if error.response.status_code == httpx2.codes.RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)  # it is no part of what is there now
        raise DataError(
            f"The file could not be downloaded: the server answered {error.response.status_code}.",
            hint=by_hand,
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise DataError(
            f"The file could not be downloaded. {why_not_fetched(error, httpx2.URL(url).host)}",
            hint=f"Resume when that is mended: what is here is kept. {by_hand}",
        ) from error
    part.replace(target)


def _write(answer: httpx2.Response, part: Path, *, most_bytes: int, stage: str, report: Report) -> None:
    """Add what comes to what is here, unless the place sends the whole file anew."""
    goes_on = answer.status_code == httpx2.codes.PARTIAL_CONTENT
    with part.open("ab" if goes_on else "wb") as file:
        done = file.tell()
        length = int(answer.headers.get("Content-Length", 0))
        total = done + length if length else 0  # some places do not say
        for piece in answer.iter_bytes():
            if max(total, done + len(piece)) > most_bytes:
                raise UnsafeFileError(
                    f"The file is larger than {most_bytes / 1e6:,.0f} MB, which no published one is.",
                    hint="Look at it through a browser first.",
                )
            done += file.write(piece)
            report(Progress(stage=stage, done=done, total=total))


def unpack_member(archive: Path, ending: str, target: Path, *, most_bytes: int) -> None:
    """Unpack the one file of a zip archive whose name ends so; names in the archive never become paths.

    Parameters
    ----------
    ending
        End of the name of the file that is wanted.
    target
        Where it goes.
    most_bytes
        Largest file that is unpacked, whatever the archive says of it.

    Raises
    ------
    UnreadableFileError
        If the archive is damaged or holds no such file, or several.
    UnsafeFileError
        If the file is larger.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            found = [member for member in content.infolist() if member.filename.endswith(ending)]
            if len(found) != 1:
                raise UnreadableFileError(
                    f"The file {archive.name} holds {counted(len(found), 'file')} {ending}, and one is expected.",
                    hint="Unpack it by hand and open the .h5ad file that you want.",
                )
            with content.open(found[0]) as packed, target.open("wb") as unpacked:
                left = most_bytes
                while piece := packed.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise UnsafeFileError(
                            f"The file {archive.name} unpacks to more than {most_bytes / 1e9:,.1f} GB.",
                            hint="The limit is SCVIZ_UNPACK_GB.",
                        )
                    unpacked.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise UnreadableFileError(
            f"The file {archive.name} is damaged or no zip archive: {error}.", hint="Download it again."
        ) from error
