"""A workspace in which every name is an attempt: pictures, links, scripts, formulas, in Markdown, HTML and plotly's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_matrix

import scviz
from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.models import model_class
from scviz.settings import Settings
from scviz.tasks import (
    annotation,
    attention_network,
    back,
    conditions,
    enrichment,
    gene_terms,
    group_genes,
    in_silico,
    label_audit,
    markers,
    modules,
    overview,
    qc,
    scenic,
    transfer,
)
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.filters import Filter
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.groups import name_group
from scviz.workspace.records import fingerprint, to_json, write_record
from tests.conftest import Opened, keep_model

HOST = "hostile.example"
"""Nothing answers there; a request for it would be seen."""
SCRIPT = "window.__hit=1"
N_GENES, N_CELLS = 80, 240


def picture(what: str) -> str:
    """A name that is a picture in Markdown and, with a script, in HTML."""
    return f"![{what}](http://{HOST}/m.png)<img src=http://{HOST}/h.png onerror={SCRIPT}>"


def link(what: str) -> str:
    """A name that is a link in Markdown and in HTML, and closes a script."""
    return f"[{what}](http://{HOST}/m)<a href='http://{HOST}/h'>x</a></script><script>{SCRIPT}</script>"


def column(what: str) -> str:
    """A name without the slash that no file allows in the name of a column."""
    return f"![{what}]({HOST})<img src={HOST} onerror={SCRIPT}>"


DATASET, FILE, CHECKPOINT = picture("dataset"), column("file"), link("checkpoint")
TYPE_KEY, DONOR_KEY, SIDE_KEY = column("cell_type"), column("donor"), column("condition")
TYPES = (picture("B"), link("T"), f'=HYPERLINK("http://{HOST}/f") $x$ :red[NK] www.{HOST} <b>b</b> _i_')
SIDES = (link("ctrl"), picture("stim"))
GROUP, SETS, SET, OTHER = link("group"), column("sets"), picture("set"), picture("reference")
GENES = (picture("gene"), link("regulator"), f"<b>G</b>:material/home:$a$www.{HOST}", "=1+1|a")


def gene(number: int) -> str:
    """The name of a gene: a few attempts, and many that end as one."""
    return (
        GENES[number] if number < len(GENES) else f"GENE{number}<img src=//{HOST}/{number} onerror={SCRIPT}>"
    )


def cells(seed: int) -> anndata.AnnData:
    """Cells of three types, of four donors in two conditions; 15 genes tell each type from the others."""
    rng = np.random.default_rng(seed)
    types, donors = np.arange(N_CELLS) % 3, np.arange(N_CELLS) // 3 % 4
    sides = np.arange(N_CELLS) // 12 % 2
    means = np.tile(rng.gamma(2.0, 1.0, N_GENES), (N_CELLS, 1))  # (N, G)
    for number in range(3):
        means[np.ix_(types == number, range(15 * number, 15 * number + 15))] = 8.0
    means[sides == 1, -10:] *= 3
    obs = pd.DataFrame(
        {
            TYPE_KEY: pd.Categorical([TYPES[i] for i in types]),
            DONOR_KEY: pd.Categorical([f"{i} {picture('donor')}" for i in donors]),
            SIDE_KEY: pd.Categorical([SIDES[i] for i in sides]),
            column("number"): rng.uniform(0, 10, N_CELLS),
        },
        index=pd.Index([f"{i}{picture('cell')}" for i in range(N_CELLS)], dtype=object),
    )
    var = pd.DataFrame(index=pd.Index([gene(i) for i in range(N_GENES)], dtype=object))
    return anndata.AnnData(X=csr_matrix(rng.poisson(means).astype(np.float32)), obs=obs, var=var)


def hostile_workspace(home: Path, data: Path) -> dict[str, str]:
    """Fill a workspace whose data folder is `data`; returns the dataset, the checkpoint and the runs by their task."""
    settings = Settings(home=home, data_roots=(data,))
    workspace = Workspace.from_settings(settings)
    adata = cells(0)
    adata.write_h5ad(data / f"{FILE}.h5ad")
    cells(1).write_h5ad(data / "reference.h5ad")
    other = open_file(data / "reference.h5ad", workspace, name=OTHER).id
    dataset = open_file(data / f"{FILE}.h5ad", workspace, name=DATASET).id
    torch.manual_seed(0)
    model = model_class("scgpt").untrained(adata, "tiny")
    own = keep_model(Opened(workspace, dataset, ""), model, CHECKPOINT)
    name_group(workspace.dataset_folder(dataset), GROUP, np.arange(0, 60))
    made = {"dataset": dataset, "checkpoint": own.checkpoint, "reference": other}
    queue = RunQueue(settings)
    sets = _gene_sets(own, data, queue)
    for task, request in _questions(own, data, sets=sets, reference=other):
        made[task] = carried_out(own, queue, task, request)
    return made


def _gene_sets(own: Opened, data: Path, queue: RunQueue) -> str:
    path = data / f"{SETS}.gmt"
    rows = [
        f"{number} {SET}\t{SET}\t" + "\t".join(gene(15 * number + i) for i in range(15))
        for number in range(3)
    ]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return str(queue.result(carried_out(own, queue, "gene_terms", gene_terms.Request(path=str(path)))).terms)


def _questions(own: Opened, data: Path, *, sets: str, reference: str) -> Iterator[tuple[str, Any]]:
    """Ask something of every task that needs no more than these cells and the model."""
    same: dict[str, Any] = {"dataset": own.dataset}
    read: dict[str, Any] = {**same, "checkpoint": own.checkpoint}
    links = data / f"{column('links')}.tsv"
    pairs = [(gene(r), gene(15 * (r % 3) + i)) for r in range(4) for i in range(5, 15)]
    links.write_text("tf\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs), "utf-8")
    yield "overview", overview.Request(**same, n_neighbors=8)
    yield "qc", qc.Request(**same, label_key=TYPE_KEY, batch_key=DONOR_KEY, doublets=False)
    yield "markers", markers.Request(**same, column=TYPE_KEY)
    yield "group_genes", group_genes.Request(**same, a=CellGroup(column=TYPE_KEY, value=TYPES[0]))
    yield (
        "conditions",
        conditions.Request(
            **same,
            type_key=TYPE_KEY,
            donor_key=DONOR_KEY,
            condition_key=SIDE_KEY,
            first=SIDES[1],
            second=SIDES[0],
        ),
    )
    yield (
        "enrichment",
        enrichment.Request(**same, column=TYPE_KEY, group=TYPES[0], sets=sets, least_change=0.0),
    )
    yield "modules", modules.Request(**same, n_random=20)
    yield (
        "scenic",
        scenic.Request(**same, prior=str(links), fewest_genes=3, method="correlation", label_key=TYPE_KEY),
    )
    yield "label_audit", label_audit.Request(**same, label_key=TYPE_KEY)
    yield "annotation", annotation.Request(**read, label_key=TYPE_KEY, epochs=2)
    yield (
        "attention_network",
        attention_network.Request(
            **read,
            column=TYPE_KEY,
            control=TYPES[0],
            perturbed=TYPES[1],
            regulators=(gene(0), gene(1)),
            prior=str(links),
            most_genes=40,
            most_cells=10,
            n_null=5,
        ),
    )
    yield (
        "in_silico",
        in_silico.Request(
            **read,
            genes=(gene(0),),
            cells=(Filter(column=TYPE_KEY, values=(TYPES[0],)),),
            goal=Filter(column=TYPE_KEY, values=(TYPES[1],)),
            label_key=TYPE_KEY,
            most_cells=10,
            n_random=19,
        ),
    )
    yield "transfer", transfer.Request(**same, reference=reference, label_key=TYPE_KEY)


def carried_out(own: Opened, queue: RunQueue, task: str, request: Any) -> str:
    """Carry a request out here and keep it as a finished run."""
    asked = to_json(request)
    run = Run(
        id=f"run-of-{task}",
        task=task,
        title=task,
        request=asked,
        fingerprint=fingerprint(task, asked, scviz.__version__),
        state="done",
        note=picture("note"),
        created=1.0,
        started=1.0,
        ended=9.0,
    )
    context = own.context(run.id)
    write_record(back(task).run(request, context), context.result)
    (context.folder / "request.json").write_text(json.dumps({"task": task, "request": asked}), "utf-8")
    queue.database.add(run)
    return run.id
