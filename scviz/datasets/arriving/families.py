"""Which matrices lie in a folder, which lists of names belong to each, and what are samples and what are versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scviz.datasets.formats import MATRIX_NAME, contents, format_of

ENDING = re.compile(r"(\.(tsv|txt|csv|tab|mtx|h5|hdf5|h5ad))?(\.(gz|bz2|xz))?$", re.IGNORECASE)
SEPARATORS = "._- "
CELL_WORDS = (
    "barcodes",
    "barcode",
    "cell_barcodes",
    "quants_mat_rows",
    "cells",
    "cell_names",
    "cellnames",
    "cell_ids",
    "colnames",
    "obs",
    "cell_metadata",
    "metadata",
    "meta",
    "cell_annotations",
    "annotations",
)
"""How lists of cells are called; what stands first is taken first."""
ABOUT_CELLS = CELL_WORDS[-6:]
"""Lists that say more of cells than their names."""
GENE_WORDS = (
    "features",
    "feature",
    "all_genes",
    "genes",
    "gene",
    "gene_ids",
    "quants_mat_cols",
    "rownames",
    "var",
    "gene_metadata",
    "gene_names",
    "gene_symbols",
    "genes.names",
)
"""How lists of genes are called; what stands first is taken first."""
SYMBOLS = ("genes.names", "gene_names", "gene_symbols")
MATRIX_WORDS = r"sparse_matrix|count_matrix|counts_matrix|matrix|counts?|umi_counts|dge|quants_mat|mtx|mex"
LAYERS = {
    "spliced": "spliced",
    "mature": "spliced",
    "unspliced": "unspliced",
    "nascent": "unspliced",
    "ambiguous": "ambiguous",
    "total": "X",
}
"""Names of matrices that are parts of the same counts, and what they are called here."""
SUMS = ("cell", "nucleus")
"""Sums of such parts that kallisto | bustools writes beside them."""
VERSION = re.compile(
    r"[._\- ]*(sample[._-])?(?<![a-z])(?P<which>filtered|raw|unfiltered)([._-](feature|gene|peak))?([._-]bc)?"
    r"([._-]matri(x|ces))?([._-](h5|mex))?(?![a-z])",
    re.IGNORECASE,
)
GENOMES = re.compile(r"gene_bc_matri(x|ces)", re.IGNORECASE)
"""Cell Ranger 1 and 2 keep a folder for each genome in one of this name."""
FEATURES = ("Gene", "GeneFull", "GeneFull_Ex50pAS", "GeneFull_ExonOverIntron", "Velocyto", "SJ")
"""Folders of STARsolo, the counts of genes first."""
PLAIN = re.compile(
    r"(outs|count|counts|solo\.out|dge|alevin|quants?|per_sample_outs|af_quant|matrix|mtx|cells_x_genes|data|"
    r"gse\d+_raw|\.)?",
    re.IGNORECASE,
)
"""Names of folders that say nothing of the sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixFiles:
    """A Matrix Market file and the lists that name its rows and columns."""

    matrix: Path
    cells: Path | None
    genes: Path | None
    symbols: Path | None = None
    """A second list of the same genes."""
    about: Path | None = None
    """A table with more about the cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsOfSample:
    """Files that hold the counts of one sample."""

    sample: str
    part: str
    """Which version of them: "filtered", "raw", "GeneFull filtered", a genome; empty where there is but one."""
    matrices: Mapping[str, MatrixFiles] = field(default_factory=dict)
    """By `X` or the name of a layer."""
    h5: Path | None = None
    """The file of 10x Genomics that holds them instead."""

    @property
    def path(self) -> Path:
        """Where the counts lie, or the first part of them."""
        return self.h5 or next(iter(self.matrices.values())).matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class _Role:
    """What the name of a file tells."""

    path: Path
    word: str
    key: str
    """The rest of its name, which it shares with those that belong to it."""

    @property
    def plain_key(self) -> str:
        """The key in small letters and without separators."""
        return re.sub(r"[^a-z0-9]+", "", self.key.lower())


def counts_in(folder: Path) -> list[CountsOfSample]:
    """Find all counts of cells in a folder and those within.

    Raises
    ------
    UnreadableFileError
        If a file cannot be opened, or is cut off.
    UnsafeFileError
        If there are too many files.
    """
    matrices, others = _parted(contents(folder), lambda path: bool(MATRIX_NAME.search(path.name)))
    h5, names = _parted(others, lambda path: format_of(path) == "10x")
    found = [_market_counts(group, names, folder) for group in _groups(matrices)]
    found += [_labelled(CountsOfSample(sample="", part="", h5=path), folder) for path in h5]
    return _versions(_with_velocity(_without_subsets(_once(found))))


def _parted(paths: Sequence[Path], fits: Callable[[Path], bool]) -> tuple[list[Path], list[Path]]:
    """Part paths into those that fit and the others."""
    chosen = list(filter(fits, paths))
    return chosen, [path for path in paths if path not in chosen]


def counts_at(path: Path) -> CountsOfSample:
    """Find the names that lie beside a Matrix Market file."""
    names = [item for item in sorted(path.parent.iterdir()) if item.is_file() and item != path]
    others = [item for item in names if MATRIX_NAME.search(item.name)]
    names = [item for item in names if item not in others]
    files = _files_of(_matrix_role(path), names, others=[_matrix_role(item) for item in others])
    return CountsOfSample(sample="", part="", matrices={"X": files})


def _groups(matrices: Sequence[Path]) -> list[dict[str, Path]]:
    """Put matrices together that are layers of the same counts."""
    groups: dict[tuple[Path, str], dict[str, Path]] = {}
    alone: list[dict[str, Path]] = []
    for path in _without_packed_twins(matrices):
        key, layer = _split_word(_stem(path), "|".join([*LAYERS, *SUMS]))
        if layer:
            groups.setdefault((path.parent, key), {})[layer] = path
        else:
            alone.append({"X": path})
    for group in groups.values():
        layers = {LAYERS[word]: path for word, path in group.items() if word in LAYERS}
        if len(layers) > 1:
            alone.append(layers)
        else:
            alone += [{"X": path} for path in group.values()]
    return alone


def _without_packed_twins(matrices: Sequence[Path]) -> list[Path]:
    """Leave out a file that lies beside its unpacked self."""
    names = set(matrices)
    return [path for path in matrices if path.suffix.lower() == ".mtx" or path.with_suffix("") not in names]


def _market_counts(group: Mapping[str, Path], names: Sequence[Path], folder: Path) -> CountsOfSample:
    first = next(iter(group.values()))
    others = [path for path in _siblings(first) if path not in group.values()]
    roles = [_matrix_role(path) for path in others]
    files = {name: _files_of(_matrix_role(path), names, others=roles) for name, path in group.items()}
    return _labelled(CountsOfSample(sample="", part="", matrices=files), folder)


def _siblings(path: Path) -> list[Path]:
    return [item for item in sorted(path.parent.iterdir()) if MATRIX_NAME.search(item.name)]


def _files_of(matrix: _Role, names: Sequence[Path], *, others: Sequence[_Role]) -> MatrixFiles:
    """Find the lists of names of a matrix: in its folder first, then in those above it."""
    taken = {other.plain_key for other in others} - {matrix.plain_key, ""}
    cells = _best(matrix, names, words=CELL_WORDS, taken=taken)
    genes = _best(matrix, names, words=GENE_WORDS, taken=taken)
    symbols = _best(matrix, names, words=SYMBOLS, taken=taken)
    about = _best(matrix, names, words=ABOUT_CELLS, taken=taken)
    return MatrixFiles(
        matrix=matrix.path,
        cells=cells,
        genes=genes,
        symbols=symbols if symbols != genes else None,
        about=about if about != cells else None,
    )


def _best(matrix: _Role, names: Iterable[Path], *, words: Sequence[str], taken: set[str]) -> Path | None:
    """Take the list whose name has most in common with that of the matrix, none that belongs to another matrix."""
    ranked: list[tuple[tuple[int, ...], _Role]] = []
    for path in names:
        role = _role(path, words)
        if role is None or role.plain_key in taken or not matrix.path.parent.is_relative_to(path.parent):
            continue
        closeness = _closeness(matrix.plain_key, role.plain_key)
        ranked.append(((len(path.parts), closeness, -words.index(role.word)), role))
    if not ranked:
        return None
    best, role = max(ranked, key=lambda one: one[0])
    rivals = {other.plain_key for rank, other in ranked if rank[:2] == best[:2]}
    return None if best[1] < 0 and len(rivals) > 1 else role.path


def _closeness(one: str, other: str) -> int:
    """Rate how well two keys go together: equal ones best, then one that begins with the other."""
    if one == other:
        return 1000
    if one.startswith(other) or other.startswith(one):
        return min(len(one), len(other))
    return -1


def _role(path: Path, words: Sequence[str]) -> _Role | None:
    key, word = _split_word(_stem(path), "|".join(words))
    if not word:
        return None
    return _Role(path=path, word=word, key=_split_word(key, MATRIX_WORDS)[0])


def _matrix_role(path: Path) -> _Role:
    key, word = _split_word(_stem(path), MATRIX_WORDS)
    return _Role(path=path, word=word, key=key)


def _stem(path: Path) -> str:
    return ENDING.sub("", path.name)


def _split_word(stem: str, words: str) -> tuple[str, str]:
    """Split a name into the rest and one of these words, which it ends or begins with."""
    pattern = words.replace("_", "[._-]?")
    at_end = re.fullmatch(rf"(?:(?P<key>.*?)[._\- ])?(?P<word>{pattern})", stem, re.IGNORECASE)
    found = at_end or re.fullmatch(rf"(?P<word>{pattern})[._\- ](?P<key>.+)", stem, re.IGNORECASE)
    if not found:
        return stem, ""
    said = found["word"].lower()
    plain = next((word for word in words.split("|") if re.fullmatch(word.replace("_", "[._-]?"), said)), said)
    return (found["key"] or "").strip(SEPARATORS), plain


def _labelled(counts: CountsOfSample, folder: Path) -> CountsOfSample:
    """Read the sample and the version of counts from the names of their folders and of the file."""
    path = counts.path
    steps = list(path.parent.relative_to(folder).parts)
    versions: list[str] = []
    samples: list[str] = []
    for above, step in zip(["", *steps], steps, strict=False):
        if step in FEATURES or GENOMES.search(above):
            versions.append(step)
        else:
            samples.append(_without_version(step, versions))
    key = _stem(path) if counts.h5 else _matrix_role(path).key
    key = _split_word(key, "|".join([*LAYERS, *SUMS]))[0] if len(counts.matrices) > 1 else key
    samples.append(_without_version(key, versions))
    sample = "/".join(name for name in samples if not PLAIN.fullmatch(name))
    return replace(counts, sample=sample, part=" ".join(dict.fromkeys(versions)))


def _without_version(name: str, versions: list[str]) -> str:
    """Take "filtered_feature_bc_matrix" and the like out of a name, and note which it was."""
    found = VERSION.search(name)
    if not found or PLAIN.fullmatch(name):
        return name
    versions.append("raw" if found["which"].lower() == "unfiltered" else found["which"].lower())
    rest = VERSION.sub("", name, count=1).strip(SEPARATORS)
    return "" if PLAIN.fullmatch(rest) else rest


def _once(found: Sequence[CountsOfSample]) -> list[CountsOfSample]:
    """Leave out a Matrix Market folder that lies beside the same counts as HDF5."""
    as_h5 = {(one.sample, one.part) for one in found if one.h5}
    return [one for one in found if one.h5 or not one.part or (one.sample, one.part) not in as_h5]


def _without_subsets(found: Sequence[CountsOfSample]) -> list[CountsOfSample]:
    """Keep the counts of all samples together where Parse's pipeline writes them beside those of each."""
    whole = [one for one in found if re.search(r"all[-_](sample|well)s?$", one.sample, re.IGNORECASE)]
    return whole or list(found)


def _with_velocity(found: Sequence[CountsOfSample]) -> list[CountsOfSample]:
    """Make the parts that STARsolo counts for RNA velocity layers of its counts of genes."""
    by_name = {(one.sample, one.part): one for one in found}
    if len(by_name) < len(found):
        return list(found)
    for one in found:
        whole = by_name.get((one.sample, one.part.replace("Velocyto", "Gene")))
        if "Velocyto" in one.part and whole and "X" not in one.matrices:
            matrices = {**whole.matrices, **one.matrices}
            by_name[whole.sample, whole.part] = replace(whole, matrices=matrices)
            del by_name[one.sample, one.part]
    return list(by_name.values())


def _versions(found: Sequence[CountsOfSample]) -> list[CountsOfSample]:
    """Give matrices of the same cells, or of the same sample and version, the names of their files as versions."""
    labelled = []
    for one in found:
        twins = [
            other
            for other in found
            if (other.sample, other.part) == (one.sample, one.part) or _share_cells(one, other)
        ]
        if len(twins) > 1:
            samples = {twin.sample for twin in twins}
            shared = one.sample if len(samples) == 1 else ""
            name = ENDING.sub("", one.path.name)
            one = replace(one, sample=shared, part=f"{one.part} {name}".strip())
        labelled.append(one)
    return labelled


def _share_cells(one: CountsOfSample, other: CountsOfSample) -> bool:
    lists = [{files.cells for files in counts.matrices.values()} - {None} for counts in (one, other)]
    return bool(lists[0] & lists[1])
