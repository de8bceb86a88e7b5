"""Zip and tar archives, and compressed files: unpacked without leaving the folder, and counted while they are."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from scviz.datasets.arriving.unpacking import PIECE, first_bytes, too_much, unpacked
from scviz.datasets.formats import HDF5, IN_ZARR, TAR_MARK, format_of
from scviz.errors import DataError, UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, Report

MOST_MEMBERS = 20_000
DEEPEST = 3
"""Archives within archives that are opened."""
NO_COUNTS = re.compile(
    r"\.(bam|bai|cram|crai|fastq|fq|fasta|fa|sam|cloupe|vloupe|png|jpe?g|tiff?|pdf|html?|svg|bw|bigwig|bed|wig|md5)"
    r"(\.gz)?$|(^|/)(fragments|atac_fragments|possorted)[^/]*$|molecule_info\.h5$",
    re.IGNORECASE,
)
"""Files that never hold counts, by name: they are not unpacked."""
PACKED = re.compile(r"(\.(tar|tgz|tbz2?|txz|zip|gz|bz2|xz))+$", re.IGNORECASE)
AGAIN = "Copy or download it again, and compare its size with the original."


@dataclass(slots=True)
class _Budget:
    """Bytes that may still be written, of all archives together."""

    name: str
    limit: int
    report: Report
    used: int = 0
    n_members: int = 0

    def member(self) -> None:
        """Count one more file."""
        self.n_members += 1
        if self.n_members > MOST_MEMBERS:
            raise UnsafeFileError(
                f"{self.name} holds more than {MOST_MEMBERS:,} files.", hint="Pack those with counts alone."
            )

    def copy(self, source: IO[bytes], target: Path) -> None:
        """Write what a file unpacks to, and stop at the limit."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while piece := source.read(PIECE):
                self.used += len(piece)
                if self.used > self.limit:
                    raise too_much(self.name, self.limit)
                file.write(piece)
                self.report(Progress(stage="Unpacking", done=self.used, total=0))


def unpack(path: Path, folder: Path, *, limit: int, report: Report) -> None:
    """Unpack an archive, those within it, and single files that are compressed as a whole.

    Hidden files, links and what never holds counts (reads, pictures) are left out. Lists and matrices that are
    compressed stay so: they are read as they are.

    Parameters
    ----------
    path
        A zip or tar archive, or a compressed file.
    folder
        An empty folder.
    limit
        Bytes that may be written, of all files together.
    report
        Told how many bytes were written.

    Raises
    ------
    UnreadableFileError
        If it is damaged, cut off, encrypted or packed in a way that is not known.
    UnsafeFileError
        If it unpacks to too much, or a file in it leads outside.
    DataError
        If the disk is full.
    """
    _unpack(path, folder, _Budget(name=path.name, limit=limit, report=report), depth=0)


def _unpack(path: Path, folder: Path, budget: _Budget, *, depth: int) -> None:
    with _damage(path.name):
        if _is_zip(path):
            made = _unzip(path, folder, budget)
        elif first_bytes(path)[TAR_MARK] == b"ustar" or tarfile.is_tarfile(path):
            made = _untar(path, folder, budget)
        else:
            made = [_gunzip(path, folder, budget)]
    for item in made:
        if _must_be_unpacked(item):
            _unpack_within(item, budget, depth=depth + 1)


def _unpack_within(item: Path, budget: _Budget, *, depth: int) -> None:
    """Unpack an archive that lay in another one into a folder of its name."""
    if depth > DEEPEST:
        raise UnsafeFileError(
            f"{budget.name} holds archives within archives, more than {DEEPEST} deep.",
            hint="Unpack it first, and choose the folder.",
        )
    packed = item.rename(item.with_name(f"{item.name}.packed"))
    name = PACKED.sub("", item.name) or item.name
    single = not _is_zip(packed) and first_bytes(packed)[TAR_MARK] != b"ustar"
    try:
        _unpack(packed, item.parent if single else item.parent / name, budget, depth=depth)
    finally:
        packed.unlink()
    inner = item.parent / packed.name.removesuffix(".packed")
    if single and inner.exists():
        inner.rename(item.with_name(name))


def _is_zip(path: Path) -> bool:
    """Tell whether a file begins like zip; a tar that ends with a zip archive is none."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _must_be_unpacked(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return format_of(path) == "archive"
    if start[:2] in (b"\x1f\x8b", b"BZ") or start == b"\xfd7zX":
        inner = first_bytes(path)
        return inner.startswith((HDF5, b"PK\x03\x04", b"\x1f\x8b")) or inner[TAR_MARK] == b"ustar"
    return first_bytes(path)[TAR_MARK] == b"ustar"


def _unzip(path: Path, folder: Path, budget: _Budget) -> list[Path]:
    made = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            budget.member()
            target = _target(member.filename, folder, budget.name)
            if target is None:
                continue
            if member.flag_bits & 1:
                raise UnreadableFileError(
                    f"{path.name} is locked with a password.", hint="Unpack it first, and choose the folder."
                )
            made += _copied(partial(archive.open, member), target, budget)
    return made


def _untar(path: Path, folder: Path, budget: _Budget) -> list[Path]:
    made = []
    with unpacked(path) as file, tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            budget.member()
            target = _target(member.name, folder, budget.name)
            if target is None or not member.isreg():
                continue
            made += _copied(partial(archive.extractfile, member), target, budget)
    return made


def _copied(source: Callable[[], IO[bytes] | None], target: Path, budget: _Budget) -> list[Path]:
    """Write one member, unless one of its name was there before."""
    file = None if target.exists() else source()
    if file is None:
        return []
    with file:
        budget.copy(file, target)
    return [target]


def _gunzip(path: Path, folder: Path, budget: _Budget) -> Path:
    name = path.name.removesuffix(".packed")
    target = folder / (
        name if name != path.name else re.sub(r"\.(gz|bz2|xz)$", "", name, flags=re.IGNORECASE)
    )
    with unpacked(path) as file:
        budget.copy(file, target)
    return target


def _target(name: str, folder: Path, archive: str) -> Path | None:
    """Return where a member is written; None for what is left out.

    Raises
    ------
    UnsafeFileError
        If its name leads outside.
    """
    steps = PurePosixPath(name.replace("\\", "/"))
    if steps.is_absolute() or ".." in steps.parts or re.match(r"[A-Za-z]:", name) or "\x00" in name:
        raise UnsafeFileError(
            f"{archive} holds a file whose name leads outside it: {name!r}.",
            hint="Do not trust this archive; ask who made it, or pack its files anew.",
        )
    hidden = any(step.startswith((".", "__MACOSX")) and step not in IN_ZARR for step in steps.parts)
    return None if hidden or not steps.parts or NO_COUNTS.search(steps.as_posix()) else folder / steps


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Turn what unpacking says of a damaged archive, or of a full disk, into a sentence."""
    try:
        yield
    except NotImplementedError as error:
        raise UnreadableFileError(
            f"{name} is packed in a way that is not known here: {error}.",
            hint="Unpack it first, or pack it as zip or tar.gz.",
        ) from error
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, RuntimeError, ValueError) as error:
        raise UnreadableFileError(f"{name} is cut off or damaged: {error}.", hint=AGAIN) from error
    except OSError as error:
        if error.errno is None:
            raise UnreadableFileError(f"{name} is damaged: {error}.", hint=AGAIN) from error
        free = shutil.disk_usage(Path.cwd()).free
        raise DataError(
            f"{name} cannot be unpacked: {error.strerror} ({free / 1e9:,.1f} GB are free).",
            hint="Make room on the disk, or unpack the archive elsewhere and choose the folder.",
        ) from error
