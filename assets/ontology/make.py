"""Make the table of this folder from the one that its README names.

    python assets/ontology/make.py FOLDER

FOLDER holds `ontology/cl_2026-03-26.tsv.gz`. The same source gives the same file, byte for byte.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = Path("ontology") / "cl_2026-03-26.tsv.gz"
ROOT = "CL:0000000"
"""Cell: what is no kind of it, such as a look of a cytoplasm, names no cell type."""
COLUMNS = ("id", "label", "synonyms", "parents")


def read(path: Path) -> dict[str, Mapping[str, str]]:
    """Read the terms by their id."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["id"]: row for row in rows}


def below(terms: Mapping[str, Mapping[str, str]], root: str) -> set[str]:
    """Find a term and all kinds of it."""
    found = {root}
    while True:
        more = {name for name, row in terms.items() if found & set(row["parents"].split("|"))}
        if more <= found:
            return found
        found |= more


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write a packed table, without the time of writing."""
    lines = ("\t".join(row[column] for column in COLUMNS) for row in rows)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as file:
        file.write("".join(f"{line}\n" for line in ("\t".join(COLUMNS), *lines)).encode())
    path.write_bytes(packed.getvalue())


def main(folder: Path) -> None:
    """Write the table of cell types."""
    terms = read(folder / SOURCE)
    kept = below(terms, ROOT)
    write(HERE / "cell_types.tsv.gz", (terms[name] for name in sorted(kept)))
    print(f"{len(kept):,} of {len(terms):,} terms")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
