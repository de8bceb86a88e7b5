"""Public files by their addresses: which may be fetched, and what comes of cuts, changes and pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.datasets.public_address import file_name, how_to_find, refuse_peer, refuse_private, web_address
from scviz.datasets.public_files import Fetched, Limits, fetch_public, look_up
from scviz.errors import DataError, JobCancelledError, RequestError, UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, Report, silent
from tests.datasets.server import Place, place

CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes
OTHER = bytes(reversed(range(256))) * 4000


def limits(held: Place, most: int = 2_000_000) -> Limits:
    return Limits(most_bytes=most, also=(held.address,))


def get(held: Place, folder: Path, path: str = "/cells.h5ad", report: Report = silent) -> Fetched:
    return fetch_public(f"{held.address}{path}", folder, limits(held), report=report)


def test_a_file_is_looked_up_then_fetched_with_its_progress(tmp_path: Path) -> None:
    reports: list[Progress] = []
    with place({"/cells.h5ad": CONTENT}) as held:
        offer = look_up(f"{held.address}/cells.h5ad", limits(held))
        found = get(held, tmp_path, report=reports.append)
    assert (offer.name, offer.size, offer.host) == ("cells.h5ad", len(CONTENT), "127.0.0.1")
    assert found.path == tmp_path / "cells.h5ad"
    assert found.path.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["cells.h5ad"]
    assert (reports[0].done, reports[0].total) == (0, len(CONTENT))
    assert (reports[-1].done, reports[-1].total) == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    "headers", [{"ETag": '"one"'}, {"Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT"}, {}]
)
@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_was_cut_off_goes_on_where_it_ended(
    tmp_path: Path, headers: dict[str, str], *, knows_ranges: bool
) -> None:
    with place({"/cells.h5ad": CONTENT}) as held:
        held.headers["/cells.h5ad"] = headers
        held.cut_after, held.knows_ranges = 600_000, knows_ranges
        with pytest.raises(DataError, match="could not be fetched") as refusal:
            get(held, tmp_path)
        assert "what is here is kept" in refusal.value.hint
        here = (tmp_path / "file.part").stat().st_size
        assert 0 < here <= 600_000
        found = get(held, tmp_path)
    assert found.path.read_bytes() == CONTENT
    if knows_ranges:
        assert held.asked == ["/cells.h5ad", f"/cells.h5ad bytes={here}-"]
        assert not found.changed


def test_a_run_that_is_stopped_goes_on_where_it_ended(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done > 300_000:
            raise JobCancelledError("The run was stopped.")

    with place({"/cells.h5ad": CONTENT}) as held:
        with pytest.raises(JobCancelledError):
            get(held, tmp_path, report=stop)
        assert (tmp_path / "file.part").stat().st_size > 300_000
        assert get(held, tmp_path).path.read_bytes() == CONTENT
        assert "bytes=" in held.asked[-1]


@pytest.mark.parametrize("tagged", [True, False])
def test_a_file_that_has_changed_is_fetched_anew_and_never_glued(tmp_path: Path, *, tagged: bool) -> None:
    with place({"/cells.h5ad": CONTENT}) as held:
        held.cut_after = 600_000
        held.headers["/cells.h5ad"] = {"ETag": '"one"'} if tagged else {}
        with pytest.raises(DataError):
            get(held, tmp_path)
        held.files["/cells.h5ad"] = OTHER if tagged else OTHER + b"longer"
        held.headers["/cells.h5ad"] = {"ETag": '"two"'} if tagged else {}
        found = get(held, tmp_path)
    assert found.path.read_bytes() == held.files["/cells.h5ad"]
    assert found.changed


def test_a_part_that_is_all_is_taken(tmp_path: Path) -> None:
    with place({"/cells.h5ad": CONTENT}) as held:
        held.cut_after = 600_000
        with pytest.raises(DataError):
            get(held, tmp_path)
        (tmp_path / "file.part").write_bytes(CONTENT)
        assert get(held, tmp_path).path.read_bytes() == CONTENT
        assert held.asked[-1] == f"/cells.h5ad bytes={len(CONTENT)}-"


def test_a_part_of_another_address_is_not_gone_on_with(tmp_path: Path) -> None:
    with place({"/cells.h5ad": CONTENT, "/other.h5ad": OTHER}) as held:
        held.cut_after = 600_000
        with pytest.raises(DataError):
            get(held, tmp_path)
        assert get(held, tmp_path, "/other.h5ad").path.read_bytes() == OTHER


def test_too_large_a_file_is_refused_before_it_comes_or_when_it_gets_too_large(tmp_path: Path) -> None:
    with place({"/cells.h5ad": CONTENT * 3}) as held:
        for says_size in (True, False):
            held.says_size = says_size
            with pytest.raises(UnsafeFileError, match=r"0\.00 GB may be fetched") as refusal:
                get(held, tmp_path)
            assert "SCVIZ_FETCH_GB" in refusal.value.hint
            assert (tmp_path / "file.part").exists() != says_size
        assert not (tmp_path / "cells.h5ad").exists()


def test_a_file_of_unknown_size_is_fetched(tmp_path: Path) -> None:
    with place({"/cells.h5ad": CONTENT}) as held:
        held.says_size = False
        found = get(held, tmp_path)
    assert found.offer.size == 0
    assert found.path.read_bytes() == CONTENT


def test_more_than_the_disk_holds_is_refused_before_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scviz.datasets import public_files

    monkeypatch.setattr(public_files, "ROOM", 10**18)
    with place({"/cells.h5ad": CONTENT}) as held, pytest.raises(DataError, match="of the disk are free"):
        get(held, tmp_path)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"<html><body>A page</body></html>", {"Content-Type": "text/html; charset=utf-8"}),
        (b"\n <!DOCTYPE html><html></html>", {}),
        (b"\xef\xbb\xbf<HTML>", {"Content-Type": "application/octet-stream"}),
    ],
)
def test_a_page_is_no_file(tmp_path: Path, content: bytes, headers: dict[str, str]) -> None:
    with place({"/cells.h5ad": content}) as held:
        held.headers["/cells.h5ad"] = headers
        with pytest.raises(UnreadableFileError, match="There is a page at this address") as refusal:
            get(held, tmp_path)
    assert "copy the link of the download" in refusal.value.hint
    assert not (tmp_path / "cells.h5ad").exists()


def test_nothing_there_and_nobody_there_are_told(tmp_path: Path) -> None:
    with place({}) as held, pytest.raises(DataError, match="answered 404"):
        get(held, tmp_path)
    with pytest.raises(DataError, match="could not be fetched"):
        get(held, tmp_path)


def test_redirects_are_followed_to_allowed_places_and_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    with place({"/ndownloader/1": b"x", "/there/cells.h5ad": CONTENT}) as held:
        held.headers["/ndownloader/1"] = {"Location": "/there/cells.h5ad?key=secret"}
        held.files["/there/cells.h5ad?key=secret"] = CONTENT
        assert get(held, tmp_path, "/ndownloader/1").path == tmp_path / "cells.h5ad"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "http://example.org/x",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_into_the_network_or_to_plain_http_is_refused(tmp_path: Path, target: str) -> None:
    with place({"/cells.h5ad": b"x"}) as held:
        held.headers["/cells.h5ad"] = {"Location": target}
        with pytest.raises(RequestError, match=r"within this network|no https address"):
            get(held, tmp_path)
        assert len(held.asked) == 1


def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    with place({"/cells.h5ad": b"x"}) as held:
        held.headers["/cells.h5ad"] = {"Location": "/cells.h5ad"}
        with pytest.raises(DataError, match="from one place to the next"):
            get(held, tmp_path)
        assert len(held.asked) == 10


def test_a_place_within_the_network_is_not_asked(tmp_path: Path) -> None:
    with place({"/cells.h5ad": CONTENT}) as held:
        plain, secure = f"{held.address}/cells.h5ad", held.address.replace("http:", "https:")
        with pytest.raises(RequestError, match="no https address"):
            fetch_public(plain, tmp_path, Limits(most_bytes=10**7))
        for name in (
            secure,
            secure.replace("127.0.0.1", "localhost"),
            secure.replace("127.0.0.1", "2130706433"),
        ):
            with pytest.raises(RequestError, match="within this network"):
                fetch_public(f"{name}/cells.h5ad", tmp_path, Limits(most_bytes=10**7))
        assert held.asked == []


def test_a_name_that_means_a_private_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("93.184.216.34", 443), ("10.0.0.7", 443)]  # one of them is enough
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", one) for one in answers])
    with pytest.raises(RequestError, match=r"data\.example\.org is a place within this network"):
        refuse_private("https://data.example.org/a.h5ad")
    refuse_private("https://data.example.org/a.h5ad", ("https://data.example.org",))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "240.0.0.1"),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::"),
    ],
)  # fmt: skip
def test_addresses_of_networks_are_not_public(address: str) -> None:
    with pytest.raises(RequestError, match="within this network"):
        refuse_peer(address, "example.org")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_web_are_public(address: str) -> None:
    refuse_peer(address, "example.org")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cells.h5ad",
        "http://zenodo.org/a.h5ad",
        "file:///etc/passwd",
        "https://",
        "https://[::1",
        "ftp://x/a",
    ],
)
def test_what_is_no_https_address_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="is no https address of a file"):
        web_address(text)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(RequestError, match="holds a name or a password") as refusal:
        web_address("https://me:secret@zenodo.org/a.h5ad")
    assert "secret" not in f"{refusal.value} {refusal.value.hint}"


@pytest.mark.parametrize(
    ("disposition", "urls", "expected"),
    [
        ('attachment; filename="cells.h5ad"', (), "cells.h5ad"),
        ("attachment; filename=../../etc/cells.h5ad", (), "cells.h5ad"),
        ('attachment; filename="C:\\\\data\\\\cells.h5ad"', (), "cells.h5ad"),
        ("attachment; filename*=UTF-8''%E7%B4%B0%E8%83%9E.h5ad", (), "細胞.h5ad"),
        ('attachment; filename=".bashrc"', (), "bashrc"),
        ('attachment; filename="a\nb;$(rm).h5ad"', (), "a_b__(rm).h5ad"),
        ('attachment; filename=".."', ("https://x.org/files/1", "https://s3.org/a/b.rds?sig=1"), "b.rds"),
        ("", ("https://x.org/a%2F..%2Fcells.h5ad",), "cells.h5ad"),
        ("", ("https://x.org/files/12345",), "12345"),
        ("", ("https://x.org/",), "download"),
    ],
)
def test_a_name_means_no_folder(disposition: str, urls: tuple[str, ...], expected: str) -> None:
    assert file_name(disposition, *urls) == expected


def test_a_long_name_keeps_its_ending() -> None:
    name = file_name(f'attachment; filename="{"x" * 400}.matrix.mtx.gz"')
    assert len(name) <= 150
    assert name.endswith(".matrix.mtx.gz")


def test_each_place_says_how_its_address_is_found() -> None:
    assert "permanent link" in how_to_find("cellxgene.cziscience.com")
    assert "GEO" in how_to_find("www.ncbi.nlm.nih.gov")
    assert how_to_find("notzenodo.org") == how_to_find("example.org")
