"""Geneformer: a cell read as its genes in order of expression."""

from __future__ import annotations

from scviz.foundation.card import ModelCard, Network, ReleasedCheckpoint, ReleasedFile

HUB = "ctheodoris/Geneformer"


def _files(
    folder: str, *, size: int, sha256: str, dictionaries: tuple[ReleasedFile, ...]
) -> tuple[ReleasedFile, ...]:
    """List a folder of the repository with the dictionaries that belong to it."""
    weights = ReleasedFile(path=f"{folder}/model.safetensors", size=size, sha256=sha256)
    return ReleasedFile(path=f"{folder}/config.json"), weights, *dictionaries


V1 = (
    ReleasedFile(
        path="geneformer/gene_dictionaries_30m/token_dictionary_gc30M.pkl",
        size=788_424,
        sha256="ab9dc40973fa",
    ),
    ReleasedFile(
        path="geneformer/gene_dictionaries_30m/gene_median_dictionary_gc30M.pkl",
        size=940_965,
        sha256="b3b589bb5ec7",
    ),
    ReleasedFile(
        path="geneformer/gene_dictionaries_30m/gene_name_id_dict_gc30M.pkl",
        size=1_117_117,
        sha256="55e67962e79c",
    ),
    ReleasedFile(
        path="geneformer/gene_dictionaries_30m/ensembl_mapping_dict_gc30M.pkl",
        size=584_125,
        sha256="eac0fb0b3007",
    ),
)
V2 = (
    ReleasedFile(path="geneformer/token_dictionary_gc104M.pkl", size=425_590, sha256="67c445f43851"),
    ReleasedFile(path="geneformer/gene_median_dictionary_gc104M.pkl", size=1_512_661, sha256="a51c53f6a771"),
    ReleasedFile(path="geneformer/gene_name_id_dict_gc104M.pkl", size=1_660_882, sha256="fabfa0c2f49c"),
    ReleasedFile(path="geneformer/ensembl_mapping_dict_gc104M.pkl", size=3_957_652, sha256="0819bcbd869c"),
)

V1_10M = Network(n_layers=6, width=256, ffn=512, most_tokens=2048)
V2_104M = Network(n_layers=12, width=768, ffn=3072, most_tokens=4096)
V2_316M = Network(n_layers=18, width=1152, ffn=4608, most_tokens=4096)

CARD = ModelCard(
    name="geneformer",
    title="Geneformer",
    summary=(
        "A transformer that reads a cell as a sentence of genes, ordered by how much more of each gene the "
        "cell expresses than cells usually do. It was trained to fill in masked genes."
    ),
    reads="Raw counts and Ensembl ids; the 2,048 (V1) or 4,094 (V2) genes that rank highest in each cell.",
    objective=(
        "15 % of the genes of each cell are hidden and the model names them from the others; the loss (cross "
        "entropy) is 0 where it is sure of the right gene, and the higher the less it expected it."
    ),
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
    signs=("config.json", "model.safetensors|pytorch_model.bin", "*token_dictionary*|*/*token_dictionary*"),
    fine_tuning=(
        "Its authors train all of the model with the head by default; in their own example they freeze the two "
        "lowest layers."
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
    edits={
        "delete": "evaluated",
        "knockdown": "none",
        "overexpress": "evaluated",
        "inhibit": "none",
        "activate": "none",
    },
    screens_deletions=True,
    released=(
        ReleasedCheckpoint(
            name="Geneformer-V1-10M",
            size_mb=41,
            description="6 layers, trained on 30 million cells; reads 2,048 genes of a cell.",
            hub=HUB,
            files=_files("Geneformer-V1-10M", size=41_183_536, sha256="a5e33a757431", dictionaries=V1),
            network=V1_10M,
        ),
        ReleasedCheckpoint(
            name="Geneformer-V2-104M",
            size_mb=418,
            description="12 layers, trained on 104 million cells; reads 4,094 genes of a cell.",
            hub=HUB,
            files=_files("Geneformer-V2-104M", size=417_571_156, sha256="fff5cba29ddd", dictionaries=V2),
            network=V2_104M,
        ),
        ReleasedCheckpoint(
            name="Geneformer-V2-104M_CLcancer",
            size_mb=418,
            description="V2-104M, trained further on 14 million cells of cancers.",
            hub=HUB,
            files=_files(
                "Geneformer-V2-104M_CLcancer", size=417_571_156, sha256="827738139bfe", dictionaries=V2
            ),
            network=V2_104M,
        ),
        ReleasedCheckpoint(
            name="Geneformer-V2-316M",
            size_mb=1265,
            description="18 layers, trained on 104 million cells; reads 4,094 genes of a cell.",
            hub=HUB,
            files=_files("Geneformer-V2-316M", size=1_265_455_076, sha256="965ceccea819", dictionaries=V2),
            network=V2_316M,
        ),
    ),
)
