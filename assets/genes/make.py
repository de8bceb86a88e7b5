"""Make the tables of this folder from the files that its README names.

    python assets/genes/make.py FOLDER

FOLDER holds `gene_ids`, `geneformer` and `scfoundation`, as the README lists them. The same sources give the same
tables, byte for byte.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
BIOTYPES = ("protein_coding", "lncRNA", "rRNA", "tRNA", "pseudogene", "other")
Arrays = dict[str, Any]


def text(words: Iterable[str]) -> Any:
    """Put words, a line each, into an array of bytes."""
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a table with a header."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def number(ensembl: str) -> int:
    """Give the digits of an Ensembl id; 0 where there is none."""
    return int(ensembl[-11:]) if ensembl.startswith("ENS") and ensembl[-11:].isdigit() else 0


def words_of(rows: Sequence[Mapping[str, str]], column: str, current: set[str]) -> Arrays:
    """List other names: those of one gene with its row, and those of several with theirs."""
    genes: dict[str, set[int]] = defaultdict(set)
    for place, row in enumerate(rows):
        for word in row[column].split("|"):
            if word and word not in current:
                genes[word].add(place)
    one = {word: min(places) for word, places in sorted(genes.items()) if len(places) == 1}
    several = [
        "\t".join([word, *map(str, sorted(places))])
        for word, places in sorted(genes.items())
        if len(places) > 1
    ]
    name = column.removesuffix("_symbol")
    return {
        f"{name}_words": text(one),
        f"{name}_genes": np.array(list(one.values()), dtype=np.int32),
        f"{name}_several": text(several),
    }


def species_table(rows: list[dict[str, str]], retired: Mapping[int, int]) -> Arrays:
    """Lay out the genes of one species; `retired` leads from an old Ensembl number to the one that replaced it."""
    rows = sorted(rows, key=lambda row: row["symbol"])
    symbols = [row["symbol"] for row in rows]
    numbers = [number(row["ensembl_gene_id"]) for row in rows]
    at = {one: place for place, one in reversed(list(enumerate(numbers))) if one}
    old = {one: at[new] for one, new in sorted(retired.items()) if one not in at and new in at}
    kinds = [BIOTYPES.index(row["biotype"] if row["biotype"] in BIOTYPES else "other") for row in rows]
    return {
        "symbols": text(symbols),
        "ensembl": np.array(numbers, dtype=np.int64),
        "biotypes": np.array(kinds, dtype=np.uint8),
        "retired": np.array(list(old), dtype=np.int64),
        "retired_genes": np.array(list(old.values()), dtype=np.int32),
        **words_of(rows, "prev_symbol", set(symbols)),
        **words_of(rows, "alias_symbol", set(symbols)),
    }


def retired_ids(folder: Path, rows: Sequence[Mapping[str, str]]) -> dict[int, int]:
    """Find Ensembl ids that were replaced: of HGNC in 2021, and of Geneformer's map of ids."""
    now = {row["source_id"]: number(row["ensembl_gene_id"]) for row in rows}
    found = {
        number(row["ensembl_gene_id"]): now[row["hgnc_id"]]
        for row in rows_of(folder / "hgnc_2021-03.tsv.gz")
        if row["ensembl_gene_id"] and now.get(row["hgnc_id"])
    }
    for row in rows_of(folder / "geneformer_gc95M_name_map.tsv.gz"):
        if number(row["name_or_id"]):
            found[number(row["name_or_id"])] = number(row["ensembl_id"])
    return found


def published(shared: Path) -> Arrays:
    """List the genes that each published model knows: symbols with a bit for each list, Ensembl numbers."""
    ids = shared / "gene_ids"
    lists = [
        list(json.loads(gzip.decompress((ids / name).read_bytes())))
        for name in ("scgpt_census_vocab.json.gz", "scgpt_gene_vocab_48k.json.gz")
    ]
    table = (shared / "scfoundation" / "OS_scRNA_gene_index.19264.tsv").read_text("utf-8").splitlines()
    lists.append([line.split("\t")[0] for line in table[1:]])
    bits: dict[str, int] = defaultdict(int)
    for bit, names in enumerate(lists):
        for name in names:
            if not name.startswith("<"):
                bits[name] |= 1 << bit
    names = sorted(bits)
    first = json.loads((shared / "geneformer" / "token_dictionary_gc30M.json").read_text("utf-8"))
    second = [row["id"] for row in rows_of(ids / "geneformer_gc95M_tokens.tsv.gz")]
    return {
        "symbols": text(names),
        "lists": np.array([bits[name] for name in names], dtype=np.uint8),
        "geneformer_v1": np.array(sorted(number(one) for one in first if number(one)), dtype=np.int64),
        "geneformer_v2": np.array(sorted(number(one) for one in second if number(one)), dtype=np.int64),
    }


def main(shared: Path) -> None:
    """Write all tables."""
    folder = shared / "gene_ids"
    human = rows_of(folder / "hgnc_2026-06.tsv.gz")
    mouse = rows_of(folder / "mgi_2026-06.tsv.gz")
    pairs = rows_of(folder / "orthologs_human_mouse_ensembl105.tsv.gz")
    np.savez_compressed(HERE / "human.npz", **species_table(human, retired_ids(folder, human)))
    np.savez_compressed(HERE / "mouse.npz", **species_table(mouse, {}))
    np.savez_compressed(
        HERE / "orthologs.npz",
        human=text(row["human_symbol"] for row in pairs),
        mouse=text(row["mouse_symbol"] for row in pairs),
    )
    np.savez_compressed(HERE / "published.npz", **published(shared))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
