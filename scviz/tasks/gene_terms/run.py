"""Read the terms and keep them."""

from __future__ import annotations

from pathlib import Path

from scviz.datasets.fetching import fetch
from scviz.datasets.gene_terms import keep_terms, read_terms
from scviz.datasets.public_screens import GENE_ONTOLOGY
from scviz.errors import DataError
from scviz.progress import Progress
from scviz.settings import Settings
from scviz.tasks.context import Context
from scviz.tasks.gene_terms import PUBLISHED, Request, Result


def run(request: Request, context: Context) -> Result:
    """Carry the request out; terms that are here already are not kept twice."""
    path, name, source = Path(request.path), request.name, f"from the file {Path(request.path).name}"
    if request.download:
        path, name, source = _downloaded(context), request.name or PUBLISHED, "published with GEARS"
    context.report(Progress(stage="Reading gene terms"))
    try:
        terms = read_terms(path)
    except DataError:
        if request.download:
            path.unlink()  # so that it can be fetched again
        raise
    info = keep_terms(terms, context.workspace, name=name or path.stem, source=source)
    if request.download:
        path.unlink()
    return Result(terms=info.id, n_genes=info.n_genes, n_terms=info.n_terms)


def _downloaded(context: Context) -> Path:
    dataverse = Settings.from_env().dataverse
    path = context.state / GENE_ONTOLOGY.name
    fetch(
        GENE_ONTOLOGY.address(dataverse),
        path,
        most_bytes=GENE_ONTOLOGY.most_mb * 10**6,
        stage="Downloading gene terms",
        by_hand=GENE_ONTOLOGY.by_hand(dataverse),
        report=context.report,
    )
    return path
