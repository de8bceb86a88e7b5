"""scGPT: a cell read as its genes, each with the bin of its expression."""

from __future__ import annotations

from scviz.foundation.card import ModelCard, ReleasedCheckpoint

CARD = ModelCard(
    name="scgpt",
    title="scGPT",
    summary=(
        "A transformer that reads a cell as a set of genes, each with how high it stands among the genes of "
        "that cell. It was trained to generate the expression of genes that it is not shown."
    ),
    reads="Raw counts and gene symbols; up to 1,199 of the genes that a cell expresses, in 50 bins of the cell.",
    reference="10.1038/s41592-024-02201-0",
    licence="Code MIT; the authors state no separate licence for the weights",
    source="https://github.com/bowang-lab/scGPT",
    files=("args.json", "vocab.json", "best_model.pt"),
    embedding_key="X_scGPT",
    support={
        "embedding": "evaluated",
        "annotation": "evaluated",
        "perturbation": "evaluated",
        "modules": "evaluated",
        "attention_network": "evaluated",
        "pretraining": "evaluated",
        "in_silico": "none",
    },
    released=(
        ReleasedCheckpoint(
            name="scGPT-whole-human",
            size_mb=196,
            description="12 layers, trained on 33 million human cells; the one the authors recommend.",
        ),
        ReleasedCheckpoint(
            name="scGPT-CP",
            size_mb=196,
            description="The whole-human model, trained further to place cells of one type together.",
        ),
        ReleasedCheckpoint(
            name="scGPT-brain", size_mb=196, description="12 layers, trained on 13.2 million cells of brain."
        ),
        ReleasedCheckpoint(
            name="scGPT-blood",
            size_mb=149,
            description="12 layers, trained on 10.3 million cells of blood and bone marrow.",
        ),
        ReleasedCheckpoint(
            name="scGPT-pan-cancer",
            size_mb=149,
            description="12 layers, trained on 5.7 million cells of cancers.",
        ),
    ),
)
