"""scGPT: a cell read as its genes, each with the bin of its expression."""

from __future__ import annotations

from scviz.foundation.card import ModelCard, Network, ReleasedCheckpoint, ReleasedFile
from scviz.foundation.perturbing import PerturbationCard

NETWORK = Network(n_layers=12, width=512, ffn=512, most_tokens=1200)
FILES = (ReleasedFile(path="args.json"), ReleasedFile(path="vocab.json"), ReleasedFile(path="best_model.pt"))


def _steps(folder: str) -> tuple[str, ...]:
    """Say how to get a folder by hand."""
    return (
        "Open the list of pretrained checkpoints in the README at https://github.com/bowang-lab/scGPT.",
        f"Follow it to the Google Drive folder with the id {folder}.",
        "Download args.json, vocab.json and best_model.pt into one folder.",
    )


PERTURBATION = PerturbationCard(
    key="scgpt",
    title="scGPT",
    how="The foundation model, trained further to turn control cells into perturbed ones (Cui 2024).",
    needs="measured",
)

CARD = ModelCard(
    name="scgpt",
    title="scGPT",
    summary=(
        "A transformer that reads a cell as a set of genes, each with how high it stands among the genes of "
        "that cell. It was trained to generate the expression of genes that it is not shown."
    ),
    reads="Raw counts and gene symbols; up to 1,199 of the genes that a cell expresses, in 50 bins of the cell.",
    objective=(
        "A quarter to three quarters of the genes of each cell are kept back, and the model generates their bins "
        "of expression from the genes that it is shown, and again from its vector of the cell; the loss is the "
        "sum of both mean squared errors, in bins (after 1,000 updates the training cells count a third one, so "
        "that their curve steps up)."
    ),
    reference="10.1038/s41592-024-02201-0",
    licence="Code MIT; the authors state no separate license for the weights",
    source="https://github.com/bowang-lab/scGPT",
    files=("args.json", "vocab.json", "best_model.pt"),
    signs=("args.json", "vocab.json", "best_model.pt"),
    fine_tuning="Its authors train all of the model with the head and freeze nothing.",
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
    chooses_genes=True,
    perturbation=PERTURBATION,
    released=(
        ReleasedCheckpoint(
            name="scGPT-whole-human",
            size_mb=196,
            description="12 layers, trained on 33 million human cells; the one the authors recommend.",
            files=(
                ReleasedFile(
                    path="args.json",
                    sha256="c18e075e018140cb8b2d9029387b9de26607a5ce6a8ccabd6ead70cd76b95d60",
                ),
                ReleasedFile(
                    path="vocab.json",
                    sha256="acca93d114ca62c3f0f50debbd23e8c87f0714f4737764454f6b2b13f2e8580f",
                ),
                ReleasedFile(
                    path="best_model.pt",
                    sha256="6cb5d451ab5c4b33eb673adbe4fddc61d2389df1b89b7651a9fe2e557572b922",
                ),
            ),
            steps=_steps("1oWh_-ZRdhtoGQ2Fw24HP41FgLoomVo-y"),
            network=NETWORK,
        ),
        ReleasedCheckpoint(
            name="scGPT-CP",
            size_mb=196,
            description="The whole-human model, trained further to place cells of one type together.",
            files=FILES,
            steps=_steps("1_GROJTzXiAV8HB4imruOTk6PEGuNOcgB"),
            network=NETWORK,
        ),
        ReleasedCheckpoint(
            name="scGPT-brain",
            size_mb=196,
            description="12 layers, trained on 13.2 million cells of brain.",
            files=FILES,
            steps=_steps("1vf1ijfQSk7rGdDGpBntR5bi5g6gNt-Gx"),
            network=NETWORK,
        ),
        ReleasedCheckpoint(
            name="scGPT-blood",
            size_mb=149,
            description="12 layers, trained on 10.3 million cells of blood and bone marrow.",
            files=FILES,
            steps=_steps("1kkug5C7NjvXIwQGGaGoqXTk_Lb_pDrBU"),
            network=NETWORK,
        ),
        ReleasedCheckpoint(
            name="scGPT-pan-cancer",
            size_mb=149,
            description="12 layers, trained on 5.7 million cells of cancers.",
            files=FILES,
            steps=_steps("13QzLHilYUd0v3HTwa_9n4G4yEF-hdkqa"),
            network=NETWORK,
        ),
    ),
)
