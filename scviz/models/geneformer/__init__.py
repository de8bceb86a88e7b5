"""Geneformer: a cell read as its genes in order of expression."""

from __future__ import annotations

from scviz.foundation.card import ModelCard, ReleasedCheckpoint

CARD = ModelCard(
    name="geneformer",
    title="Geneformer",
    summary=(
        "A transformer that reads a cell as a sentence of genes, ordered by how much more of each gene the "
        "cell expresses than cells usually do. It was trained to fill in masked genes."
    ),
    reads="Raw counts and Ensembl ids; the 2,048 (V1) or 4,094 (V2) genes that rank highest in each cell.",
    reference="10.1038/s41586-023-06139-9",
    licence="Apache-2.0",
    source="https://huggingface.co/ctheodoris/Geneformer",
    files=(
        "config.json",
        "model.safetensors or pytorch_model.bin",
        "the token dictionary (token_dictionary_gc….pkl or .json)",
        "the gene medians (gene_median_dictionary_gc….pkl or .json)",
        "optional: gene_name_id_dict_gc… (symbols) and ensembl_mapping_dict_gc… (retired ids)",
    ),
    embedding_key="X_Geneformer",
    support={
        "embedding": "evaluated",
        "annotation": "evaluated",
        "in_silico": "evaluated",
        "modules": "evaluated",
        "attention_network": "evaluated",
        "pretraining": "evaluated",
        "perturbation": "none",
    },
    released=(
        ReleasedCheckpoint(
            name="Geneformer-V1-10M",
            size_mb=41,
            description="6 layers, trained on 30 million cells; reads 2,048 genes of a cell.",
        ),
        ReleasedCheckpoint(
            name="Geneformer-V2-104M",
            size_mb=418,
            description="12 layers, trained on 104 million cells; reads 4,094 genes of a cell.",
        ),
        ReleasedCheckpoint(
            name="Geneformer-V2-104M_CLcancer",
            size_mb=418,
            description="V2-104M, trained further on 14 million cells of cancers.",
        ),
        ReleasedCheckpoint(
            name="Geneformer-V2-316M",
            size_mb=1265,
            description="18 layers, trained on 104 million cells; reads 4,094 genes of a cell.",
        ),
    ),
)
