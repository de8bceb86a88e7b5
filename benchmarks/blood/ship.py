"""Put a judged network among the assets: weights in bfloat16, the record of what it is, read and found to be worth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks.blood.conclusion import FIRST, OWN, TRAINED, conclusion, gap
from benchmarks.blood.corpus import JUDGE, SOURCES, Corpus, read_files
from benchmarks.blood.judge import HELD_OUT, SEEDS, Tell, finished, ships
from benchmarks.blood.start import FAMILIES
from benchmarks.blood.train import COMPOSED
from scviz.foundation.model import FoundationModel
from scviz.models import cards
from scviz.progress import silent
from scviz.settings import ROOT
from scviz.tasks.testing import self_test
from scviz.workspace.store import CheckpointInfo, write_checkpoint_info

WHAT = "Small blood model of this project, not the published one"
LARGEST_MB = 12


def ship(family: str, corpus: Corpus, state: Path, *, tell: Tell) -> None:
    """Write the folder of a network that beats itself with random weights and passes its self-test; refuse others."""
    judged = json.loads((state / "judged.json").read_text("utf-8"))
    if not ships(judged):
        raise SystemExit(f"{family} does not beat the same network with random weights, so it does not ship.")
    model, folder = finished(family, state), ROOT / "assets" / "checkpoints" / f"{family}-blood"
    tested = self_test(model, silent)
    if tested.outcome != "passed":
        raise SystemExit(f"{tested.sentence} So it does not ship.")
    shutil.rmtree(folder, ignore_errors=True)
    model.save(folder)
    weights = folder / "weights.safetensors"
    tensors = load_file(weights)
    save_file(
        {name: one.to(torch.bfloat16) if one.is_floating_point() else one for name, one in tensors.items()},
        weights,
    )
    training = json.loads((state / "training.json").read_text("utf-8"))
    read = coverage(model, state.parent)
    record = {"judged": judged, "read": read, "training": training}
    (folder / "judged.json").write_text(json.dumps(record, separators=(",", ":")), encoding="utf-8")
    size = weights.stat().st_size / 1e6
    title, planned = cards()[family].title, training.get("planned", training["epochs"])
    how = f", ended after {training['epochs']} of {planned} epochs" if planned > training["epochs"] else ""
    if n_epochs := FAMILIES[family].composing:
        how += f", then for {n_epochs * len(COMPOSED)} epochs by the composition of whole cells too"
    info = CheckpointInfo(
        id=f"{family}/{family}-blood",
        model=family,
        name=f"{title}, small blood model",
        description=f"{WHAT}: begun from principal directions of {corpus.parts['train'].n_obs:,} public cells and "
        f"trained on them{how}; of every human file that made its vocabulary it reads {min(read.values()):.0%} of "
        "the expressed genes or more.".replace("%", " %"),
        licence="that of the project; the cells that trained it are CC BY 4.0 or public at GEO",
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        n_genes=len(model.vocab),
        size_mb=size,
        demo=True,
        command=f"python -m benchmarks.blood train {family} --data ../shared/data --state FOLDER "
        f"--epochs {planned}",
        trained_on=corpus.trained_on,
        sources=tuple(f"{name}: {words}." for name, words in SOURCES.items()),
        judged=sentences(judged, title),
    )
    write_checkpoint_info(info, folder)
    tell(f"{size:.2f} MB; reads {read}; " + " ".join(info.judged))
    if size > LARGEST_MB:
        raise SystemExit(f"{size:.1f} MB is more than {LARGEST_MB}.")


def coverage(model: FoundationModel, state: Path) -> dict[str, float]:
    """Give the share of the expressed genes of each file that the model reads."""
    found = {}
    for name, cells in read_files(state).items():
        expressed = np.asarray((cells.X > 0).sum(axis=0)).ravel() > 0
        found[name] = round(float((model.column_tokens(cells.var)[expressed] >= 0).mean()), 4)
    return {name: found[name] for name in (*SOURCES, JUDGE)}


def sentences(judged: dict[str, Any], title: str) -> tuple[str, ...]:
    """Say what the model is worth on what it never saw: what it comes to first, then numbers, how sure."""
    said = [conclusion(judged)]
    for part, what in HELD_OUT.items():
        one = judged[part]
        named, gains = one["named"], one["gains"]
        low, high = (f(named[f"random weights, seed {seed}"] for seed in SEEDS) for f in (min, max))
        said.append(
            f"On {one['cells']:,} cells of {what}, which it never saw, neighbors by the vectors of {title} name cells "
            f"with a macro-F1 of {named['model']:.3f}: random weights {low:.3f} to {high:.3f}, principal components of "
            f"its training cells {named[TRAINED]:.3f} ({gap(gains[TRAINED])}), principal components of these cells "
            f"{named[OWN]:.3f} ({gap(gains[OWN])}), its own first vectors before training {named[FIRST]:.3f} "
            f"({gap(gains[FIRST])})."
        )
        if gains[FIRST]["high"] < 0:
            said.append(
                "So training by its own objective has made its cell vectors worse there than those it began with."
            )
        losses = one["losses"]
        said.append(
            f"Its own loss there is {losses['model']:.3f}, that of the frequency baseline "
            f"{losses['frequency baseline']:.3f} (saved {gap(one['saved']['frequency baseline'])}), of random weights "
            f"{losses['random weights, seed 1']:.3f}."
        )
    return tuple(said)
