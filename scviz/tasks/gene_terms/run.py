"""Read the terms and keep them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scviz.datasets.enrichr import LIBRARIES, MOST_MB, by_hand, library_address
from scviz.datasets.fetching import fetch
from scviz.datasets.gene_terms import keep_terms, read_terms, terms_left_out
from scviz.datasets.public_screens import GENE_ONTOLOGY
from scviz.errors import DataError
from scviz.progress import Progress
from scviz.settings import Settings
from scviz.tasks.context import Context
from scviz.tasks.gene_terms import PUBLISHED, Request, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A file to download."""

    file: str
    name: str
    source: str
    address: str
    most_mb: int
    by_hand: str


def run(request: Request, context: Context) -> Result:
    """Carry the request out; terms that are here already are not kept twice.

    Raises
    ------
    DataError
        If the file cannot be downloaded, or holds no gene annotations.
    """
    if request.path:
        path = Path(request.path)
        return _keep(path, context, name=request.name or path.stem, source=f"from the file {path.name}")
    published = _published(request.library)
    path = context.state / published.file
    fetch(
        published.address,
        path,
        most_bytes=published.most_mb * 10**6,
        stage="Downloading gene terms",
        by_hand=published.by_hand,
        report=context.report,
    )
    try:
        return _keep(path, context, name=request.name or published.name, source=published.source)
    except DataError as error:
        raise DataError(str(error), hint=f"Try again. {published.by_hand}") from error
    finally:
        path.unlink()  # so that it can be fetched again


def _published(library: str) -> Published:
    settings = Settings.from_env()
    if library:
        return Published(
            file=f"{library}.gmt",
            name=LIBRARIES[library],
            source=f"{library} of Enrichr",
            address=library_address(settings.enrichr, library),
            most_mb=MOST_MB,
            by_hand=by_hand(settings.enrichr, library),
        )
    return Published(
        file=GENE_ONTOLOGY.name,
        name=PUBLISHED,
        source="published with GEARS",
        address=GENE_ONTOLOGY.address(settings.dataverse),
        most_mb=GENE_ONTOLOGY.most_mb,
        by_hand=GENE_ONTOLOGY.by_hand(settings.dataverse),
    )


def _keep(path: Path, context: Context, *, name: str, source: str) -> Result:
    context.report(Progress(stage="Reading gene terms"))
    info = keep_terms(read_terms(path), context.workspace, name=name, source=source)
    return Result(terms=info.id, n_genes=info.n_genes, n_terms=info.n_terms, notes=terms_left_out(path))
