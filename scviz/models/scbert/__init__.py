"""scBERT: a cell read as all its genes, each with its level of expression."""

from __future__ import annotations

from scviz.foundation.card import ModelCard, ReleasedCheckpoint, ReleasedFile

CARD = ModelCard(
    name="scbert",
    title="scBERT",
    summary=(
        "A transformer that reads every gene it knows of a cell, expressed or not, as a vector of the gene plus "
        "one of six levels of expression. It was trained to fill in hidden levels, and made to annotate cell types."
    ),
    reads="Raw counts and gene symbols; all 16,906 genes of its fixed list, in that order, and cells with 200 of them.",
    objective=(
        "The levels of 15 % of the genes that a cell expresses are to be told from all its other genes; the loss "
        "(cross entropy) is 0 where the model is sure of the right level, and the higher the less it expected it."
    ),
    reference="10.1038/s42256-022-00534-z",
    licence="GPL-3.0; research only, not for clinical use",
    source="https://github.com/TencentAILabHealthcare/scBERT",
    files=(
        "panglao_pretrain.pth, or a fine-tuned …_best.pth",
        "the gene list in its order (.txt, .json, or panglao_10000.h5ad): without it the weights are of no use",
        "optional: gene2vec_16906.npy, which the weights already hold",
        "for a fine-tuned file: labels.json, the names of its cell types in their order",
    ),
    signs=("panglao*.pth|*_best.pth", "*.txt|*.json|*.h5ad"),
    fine_tuning=(
        "Its authors train the second to last layer, the last normalization and the head; all else stays as it was."
    ),
    embedding_key="X_scBERT",
    support={
        "embedding": "related",
        "annotation": "evaluated",
        "in_silico": "none",
        "modules": "related",
        "attention_network": "related",
        "pretraining": "evaluated",
        "perturbation": "none",
    },
    released=(
        ReleasedCheckpoint(
            name="panglao_pretrain",
            size_mb=47.5,
            description="6 layers, trained on a million human cells of PanglaoDB; reads 16,906 genes of a cell.",
            files=(
                ReleasedFile(path="panglao_pretrain.pth"),
                ReleasedFile(path="panglao_10000.h5ad"),
                ReleasedFile(
                    path="gene2vec_16906.npy",
                    sha256="fbf26c229cf7d6c01bc0449fde4b0bb85e558ae53c5ff19b27eaa9ae5447604d",
                ),
            ),
            steps=(
                "Open the README at https://github.com/TencentAILabHealthcare/scBERT: it links the weights (a "
                "WeiXin drive that asks for a login) and the data (Google Drive).",
                "If a link is dead: in issue 46 of that repository the authors name two Google Drive files, "
                "1ZyC2mGxZK1tLdy3sMOmdJERnSuvR9WZ0 and 1_Pgk_o8AtQtoXr_ZLQx0eJYoSWzjxC8f.",
                "Put panglao_pretrain.pth and panglao_10000.h5ad (whose genes are in the order of the weights) "
                "into one folder; gene2vec_16906.npy may lie beside them.",
            ),
        ),
    ),
)
