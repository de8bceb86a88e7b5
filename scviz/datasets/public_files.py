"""Fetch a public file from an address that a user gives, in pieces that outlive a stop; worker only."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

import httpx2

from scviz.datasets.connection_words import why_not_fetched
from scviz.datasets.fetching import SECONDS
from scviz.datasets.public_address import file_name, how_to_find, refuse_peer, refuse_private, web_address
from scviz.errors import DataError, UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, Report, silent
from scviz.settings import GIGABYTE
from scviz.workspace.records import read_json, write_json

MOST_HOPS = 10
ROOM = GIGABYTE
"""Bytes that stay free on the disk."""
PAGES = ("text/html", "application/xhtml")
STAGE = "Fetching the file"
ASK_EVERY = 256_000_000
"""Bytes after which it is asked again whether more may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file as its place offers it."""

    url: str
    """As it was asked for."""
    host: str
    """Where it came from in the end."""
    name: str
    size: int
    """Bytes; 0 where the place does not say."""
    version: str = ""
    """What the place changes when the file changes; empty where it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be fetched, and from where."""

    most_bytes: int
    also: tuple[str, ...] = ()
    """Places that are allowed although they are of the network here."""
    may_come: Callable[[int, int], None] = lambda _size, _here: None
    """Called before bytes come, from time to time while they come, and when all are here, with those of the file as far
    as its size is known, and those that are here; raises where there may be no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is here."""

    offer: Offer
    path: Path
    changed: bool
    """Whether it had changed since a first part of it came, so that all was fetched anew."""


def look_up(url: str, limits: Limits) -> Offer:
    """Ask what there is at an address, and fetch nothing.

    Raises
    ------
    DataError
        If there is nothing, a page instead of a file, or too much.
    RequestError
        If it is no address of a public place, be it after redirects.
    """
    with _answer(url, limits, {}) as answer:
        return _offer(url, answer, limits)


def fetch_public(url: str, folder: Path, limits: Limits, *, report: Report = silent) -> Fetched:
    """Fetch a file into a folder; what an earlier try left there goes on where it ended, if it is still the same.

    Parameters
    ----------
    folder
        Holds the part while it comes, then the file by its name.

    Raises
    ------
    DataError
        If there is nothing, a page instead of a file, or too much, or the connection is cut off.
    LimitError
        If `limits.may_come` says that there may be no more; what is here is kept.
    RequestError
        If it is no address of a public place, be it after redirects.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = _Part(folder=folder, url=url)
    known = part.known()
    try:
        offer = part.go_on(known, limits, report) if known else None
        changed = known is not None and offer is None
        if offer is None:
            offer = part.begin(limits, report)
    except OSError as error:
        raise DataError(f"The file cannot be written: {error}.", hint="Make room, then resume.") from error
    path = folder / offer.name
    part.content.replace(path)
    part.record.unlink()
    return Fetched(offer=offer, path=path, changed=changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What is here of a file."""

    folder: Path
    url: str

    @property
    def content(self) -> Path:
        return self.folder / "file.part"

    @property
    def record(self) -> Path:
        return self.folder / "file.part.json"

    def known(self) -> Offer | None:
        """Return what was offered when the first part came; None where none is here."""
        if not self.content.exists() or not self.record.exists():
            return None
        offer = read_json(Offer, self.record)
        return offer if offer.url == self.url and self.content.stat().st_size else None

    def begin(self, limits: Limits, report: Report) -> Offer:
        """Fetch all of it."""
        with _answer(self.url, limits, {}) as answer:
            offer = _offer(self.url, answer, limits)
            _check_room(offer, self.folder, here=0)
            self.content.unlink(missing_ok=True)
            write_json(offer, self.record)
            self._write(answer, offer, limits, report=report, mode="wb")
        return offer

    def go_on(self, known: Offer, limits: Limits, report: Report) -> Offer | None:
        """Fetch what is missing; None where it is another file by now, or the place sends no parts."""
        here = self.content.stat().st_size
        headers = {"Range": f"bytes={here}-"}
        if known.version and not known.version.startswith("W/"):
            headers["If-Range"] = known.version
        with _answer(self.url, limits, headers) as answer:
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            same = _version(answer) in ("", known.version) and total in (str(known.size or total), "*")
            if answer.status_code == httpx2.codes.RANGE_NOT_SATISFIABLE:
                return known if known.size == here else None
            if answer.status_code != httpx2.codes.PARTIAL_CONTENT or not same:
                return None
            _check_room(known, self.folder, here=here)
            self._write(answer, known, limits, report=report, mode="ab")
        return known

    def _write(
        self, answer: httpx2.Response, offer: Offer, limits: Limits, *, report: Report, mode: str
    ) -> None:
        with self.content.open(mode) as file:
            done = file.tell()
            report(Progress(stage=STAGE, done=done, total=offer.size))
            limits.may_come(max(offer.size, done), done)
            asked = done
            for piece in answer.iter_raw():
                if not done and _is_page(piece):
                    raise _page(self.url)
                if done + len(piece) > limits.most_bytes:
                    raise _too_large(done + len(piece), limits)
                done += file.write(piece)
                report(Progress(stage=STAGE, done=done, total=offer.size))
                if done >= asked + ASK_EVERY:
                    limits.may_come(max(offer.size, done), done)
                    asked = done
            limits.may_come(done, done)
        if offer.size and done != offer.size:
            raise DataError(
                f"{done:,} of {offer.size:,} bytes came.", hint="Resume the run: what is here is kept."
            )


@contextmanager
def _answer(url: str, limits: Limits, headers: dict[str, str]) -> Iterator[httpx2.Response]:
    """Ask, follow redirects to public places alone, and put what goes wrong into words."""
    here = url
    try:
        with httpx2.Client(timeout=SECONDS) as client:
            for _ in range(MOST_HOPS):
                here = web_address(here, limits.also)
                refuse_private(here, limits.also)
                asked = {"Accept-Encoding": "identity", **headers}
                with client.stream("GET", here, headers=asked, follow_redirects=False) as answer:
                    _check_peer(answer, here, limits)
                    if not answer.is_redirect:
                        _check_status(answer, url)
                        yield answer
                        return
                    here = urljoin(here, answer.headers.get("Location", ""))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise DataError(
            f"The file could not be fetched. {why_not_fetched(error, _host(url))}",
            hint="Resume when that is mended: what is here is kept.",
        ) from error
    raise DataError(
        f"{urlsplit(url).hostname} sends from one place to the next.", hint=how_to_find(_host(url))
    )


def _check_peer(answer: httpx2.Response, url: str, limits: Limits) -> None:
    """Refuse a name that meant another place when it was connected to; a proxy looks names up by itself."""
    stream = answer.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    if peer and origin not in limits.also and not getproxies().get(urlsplit(url).scheme):
        refuse_peer(str(peer[0]), _host(url))


def _check_status(answer: httpx2.Response, url: str) -> None:
    """Refuse an answer that is no file."""
    if answer.status_code == httpx2.codes.RANGE_NOT_SATISFIABLE:
        return
    if not answer.is_success:
        raise DataError(
            f"{_host(url)} answered {answer.status_code} {answer.reason_phrase}.".replace(" .", "."),
            hint=f"Look whether the address opens in a browser. {how_to_find(_host(url))}",
        )
    if answer.headers.get("Content-Type", "").lower().startswith(PAGES):
        raise _page(url)


def _offer(url: str, answer: httpx2.Response, limits: Limits) -> Offer:
    size = int(answer.headers.get("Content-Length", 0) or 0)
    if size > limits.most_bytes:
        raise _too_large(size, limits)
    return Offer(
        url=url,
        host=str(answer.url.host),
        name=file_name(answer.headers.get("Content-Disposition", ""), url, str(answer.url)),
        size=size,
        version=_version(answer),
    )


def _version(answer: httpx2.Response) -> str:
    return str(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")


def _is_page(piece: bytes) -> bool:
    start = piece[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _page(url: str) -> UnreadableFileError:
    return UnreadableFileError(
        "There is a page at this address and no file of cells.", hint=how_to_find(_host(url))
    )


def _too_large(size: int, limits: Limits) -> UnsafeFileError:
    return UnsafeFileError(
        f"The file has {size / GIGABYTE:,.2f} GB, and {limits.most_bytes / GIGABYTE:,.2f} GB may be fetched.",
        hint="Take a smaller file; the limit is SCVIZ_FETCH_GB.",
    )


def _check_room(offer: Offer, folder: Path, *, here: int) -> None:
    free = shutil.disk_usage(folder).free
    if offer.size - here > free - ROOM:
        raise DataError(
            f"{(offer.size - here) / GIGABYTE:,.1f} GB are missing of the file, and {free / GIGABYTE:,.1f} GB of the "
            "disk are free.",
            hint="Delete datasets or runs that are not needed, then resume.",
        )


def _host(url: str) -> str:
    return urlsplit(url).hostname or url[:80]
