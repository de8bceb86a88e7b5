"""scFoundation: a cell read as expression values with the depth that it has and the depth it should have."""

from __future__ import annotations

from scviz.foundation.card import ModelCard, Network, ReleasedCheckpoint, ReleasedFile
from scviz.foundation.perturbing import PerturbationCard

PERTURBATION = PerturbationCard(
    key="scfoundation_gears",
    title="scFoundation + GEARS",
    how="GEARS, where what scFoundation makes of each gene in a control cell takes the place of the gene's "
    "own vector (Hao 2024).",
    needs="terms",
    uses_terms=True,
)

CARD = ModelCard(
    name="scfoundation",
    title="scFoundation",
    summary=(
        "A transformer that reads the expressed genes of a cell with their values, and two numbers: how deeply "
        "the cell was sequenced and how deep it should look. It was trained to restore hidden genes of cells "
        "that had been down-sampled."
    ),
    reads="Raw counts and gene symbols; every expressed gene among 19,264 human protein-coding and other genes.",
    objective=(
        "Half of the cells are down-sampled, 30 % of the expressed genes and 3 % of the others are "
        "hidden, and the model restores them as they were in the whole cell; the loss is its mean squared error "
        "there, in ln(1 + counts per 10,000)."
    ),
    reference="10.1038/s41592-024-02305-7",
    licence=(
        "scFoundation License: research without commercial or military use; not to be passed on, and revocable"
    ),
    source="https://github.com/biomap-research/scFoundation",
    files=(
        "models.ckpt (three sets of weights: cell, rde, gene)",
        "OS_scRNA_gene_index.19264.tsv",
        "optional: gene_aliases.json, other names of genes and the name that the list has for them",
    ),
    needs_counts="It reads how many molecules a cell has beside their genes.",
    read_depths={
        "f1": "the reads that it has",
        "t4": "10,000 reads",
        "t4.5": "32,000 reads",
        "f2": "twice its reads",
        "f5": "five times its reads",
        "a1": "ten times its reads",
    },
    terms=(
        "I use these weights for research only, neither commercially nor for military ends, do not pass them on, "
        "and know that the permission can be taken back (scFoundation License)."
    ),
    networks=3,
    signs=("models.ckpt", "OS_scRNA_gene_index*.tsv"),
    fine_tuning="Its authors train the second to last layer of the encoder and the head; all else stays as it was.",
    embedding_key="X_scFoundation",
    support={
        "embedding": "evaluated",
        "enhancement": "evaluated",
        "annotation": "evaluated",
        "perturbation": "evaluated",
        "modules": "evaluated",
        "attention_network": "related",
        "pretraining": "evaluated",
        "in_silico": "none",
    },
    perturbation=PERTURBATION,
    released=(
        ReleasedCheckpoint(
            name="models.ckpt",
            size_mb=1432,
            description="Three networks of 119 million weights, trained on 50 million human cells.",
            hub="genbio-ai/scFoundation",
            network=Network(n_layers=12, width=768, ffn=3072, most_tokens=19266),
            note="This is a mirror; the authors' own place is a SharePoint folder. Their license holds for both.",
            files=(
                ReleasedFile(
                    path="models.ckpt",
                    sha256="9f40bf324d3d0084c4b288d06f5af4fddd12206e2a3f022551d12e89e33a0ea9",
                ),
            ),
            beside=("OS_scRNA_gene_index*.tsv",),
            steps=(
                "Download OS_scRNA_gene_index.19264.tsv from https://github.com/biomap-research/scFoundation "
                "into a folder on this server.",
                "To do without the mirror, follow model/README of that repository to the authors' SharePoint "
                "folder and put models.ckpt beside the list.",
            ),
        ),
    ),
)
