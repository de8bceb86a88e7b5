"""Which addresses on the web may be fetched from, and what a file from there is called here."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Mapping
from email.message import Message
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from scviz.errors import DataError, RequestError

PLACES: Mapping[str, str] = {
    "cellxgene.cziscience.com": "On the page of the collection press Download, choose .h5ad and copy the permanent "
    "link, https://datasets.cellxgene.cziscience.com/….h5ad.",
    "ncbi.nlm.nih.gov": "On the page of the GEO series copy the link (http) beside a supplementary file.",
    "zenodo.org": "On the page of the record copy the link of Download beside one file.",
    "figshare.com": "On the page of the article copy the link of Download, https://figshare.com/ndownloader/files/….",
}
"""Where public files are found, and how to get at the address of one."""
ANYWHERE = "Open the address in a browser and copy the link of the download itself."
GEO_FTP = "ftp.ncbi.nlm.nih.gov"
"""Offers the same files by https."""
WITHIN = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""Addresses that stand for one of version 4, which may be of the network here."""
LONGEST_NAME = 150
NO_NAME = "download"


def web_address(text: str, also: Collection[str] = ()) -> str:
    """Return the address that a user means, if it may be fetched from as far as its words tell.

    Parameters
    ----------
    also
        Places such as `http://mirror:8000` that are allowed although they are of the network here.

    Raises
    ------
    RequestError
        If it is no https address of a public place, or holds a password.

    Examples
    --------
    >>> web_address(" ftp://ftp.ncbi.nlm.nih.gov/geo/series/GSE1nnn/a.h5ad#part ")
    'https://ftp.ncbi.nlm.nih.gov/geo/series/GSE1nnn/a.h5ad'
    """
    try:
        parts = urlsplit(text.strip())
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme == "ftp" and host == GEO_FTP:
        parts = parts._replace(scheme="https")
    if parts.username or parts.password:
        raise RequestError(
            "The address holds a name or a password, which would be kept with the run.",
            hint="Files that need a login are downloaded through a browser.",
        )
    if not _is_allowed(f"{parts.scheme}://{parts.netloc}", also) and (parts.scheme != "https" or not host):
        raise RequestError(f"{text.strip()[:80]!r} is no https address of a file.", hint=how_to_find(host))
    return urlunsplit(parts._replace(fragment=""))


def refuse_private(url: str, also: Collection[str] = ()) -> None:
    """Refuse an address that leads into the network here, by what its name means.

    Raises
    ------
    RequestError
        If any of its addresses is private, of this machine, or of the network here.
    DataError
        If the name is not known.
    """
    parts = urlsplit(url)
    if _is_allowed(f"{parts.scheme}://{parts.netloc}", also):
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"There is no place {parts.hostname!r} on the web: {error}.",
            hint="Check the spelling of the address and the connection.",
        ) from error
    for *_, place in found:
        refuse_peer(str(place[0]), str(parts.hostname))


def refuse_peer(address: str, host: str) -> None:
    """Refuse what is no public address.

    Raises
    ------
    RequestError
        With the name under which it was asked for.

    Examples
    --------
    >>> refuse_peer("8.8.8.8", "dns.google")
    >>> refuse_peer("169.254.169.254", "example.org")
    Traceback (most recent call last):
    scviz.errors.RequestError: example.org is a place within this network, from which nothing is fetched.
    """
    if not _is_public(ip_address(address.partition("%")[0])):
        raise RequestError(
            f"{host} is a place within this network, from which nothing is fetched.",
            hint="Only public places are. The owner of the server may allow a mirror by SCVIZ_FETCH_FROM.",
        )


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if any(address in network for network in WITHIN):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_allowed(origin: str, also: Collection[str]) -> bool:
    return origin.lower() in {one.rstrip("/").lower() for one in also}


def how_to_find(host: str) -> str:
    """Say how the address of a file is found at a place.

    Examples
    --------
    >>> how_to_find("www.zenodo.org")
    'On the page of the record copy the link of Download beside one file.'
    """
    return next((words for place, words in PLACES.items() if f".{host}".endswith(f".{place}")), ANYWHERE)


def file_name(disposition: str, *urls: str) -> str:
    """Give a file a name that means no folder: what the place says, else the end of the first address that has one.

    Parameters
    ----------
    disposition
        The header Content-Disposition; may be empty.

    Examples
    --------
    >>> file_name("attachment; filename*=UTF-8''..%2Fmy%20cells.h5ad")
    'my cells.h5ad'
    >>> file_name("", "https://zenodo.org/records/1/files/a.h5ad?download=1")
    'a.h5ad'
    """
    header = Message()
    header["Content-Disposition"] = disposition.encode("latin-1", "replace").decode("latin-1") or "attachment"
    said = header.get_filename() or ""
    paths = [unquote(urlsplit(url).path) for url in urls]
    for name in map(_safe, [said, *(path for path in paths if PurePosixPath(path).suffix), *paths]):
        if name:
            return name
    return NO_NAME


def _safe(name: str) -> str:
    """Keep the last part of a name, without what steers a terminal or hides the file."""
    last = re.split(r"[/\\]", unquote(name).rstrip("/\\"))[-1]
    kept = re.sub(r"[^\w .()+,=@-]", "_", last).strip(" .")
    stem, suffixes = kept[:-40], kept[-40:]
    return f"{stem[: LONGEST_NAME - 40]}{suffixes}"
