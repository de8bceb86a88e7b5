r"""Low-rank adapters (LoRA): train small additions to the layers of an encoder, then add them to its weights.

A linear layer :math:`Wx` becomes :math:`Wx + \frac{a}{r} BAx`, where `A` and `B` have few rows and columns, `r`,
and `W` stays as it is. `B` starts at zero, so that nothing changes before training. In the end
:math:`W + \frac{a}{r} BA` takes the place of `W`, and what is kept is an ordinary encoder.

References
----------
Hu et al. (2022), arXiv:2106.09685.
"""

from __future__ import annotations

import torch
from torch import nn

from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens

RANK, SCALE = 8, 16
"""r and a above, as in the authors' examples."""


def add_adapters(classifier: CellTypeClassifier, tokens: Tokens) -> None:
    """Put an adapter on every linear layer of the encoder that cells pass through, and freeze the rest of it.

    Layers that only pre-training uses get none. The head is trained as before.

    Parameters
    ----------
    tokens
        Some cells, which show which layers are used.
    """
    from peft import LoraConfig, inject_adapter_in_model

    names = _linear_layers(classifier, tokens)
    config = LoraConfig(r=RANK, lora_alpha=SCALE, lora_dropout=0.0, target_modules=names)
    inject_adapter_in_model(config, nn.ModuleDict({"encoder": classifier.encoder}))


def merge_adapters(classifier: CellTypeClassifier) -> None:
    """Add the adapters to the weights that they stand beside, and take them away."""
    from peft.tuners.lora import LoraLayer

    encoder = classifier.encoder
    adapted = {name: part for name, part in encoder.named_modules() if isinstance(part, LoraLayer)}
    for name, part in adapted.items():
        part.merge(safe_merge=True)
        encoder.set_submodule(name, part.get_base_layer())


def _linear_layers(classifier: CellTypeClassifier, tokens: Tokens) -> list[str]:
    """Name the linear layers of the encoder that run when these cells are read."""
    linear = {name: part for name, part in classifier.encoder.named_modules() if type(part) is nn.Linear}
    used: set[nn.Module] = set()
    hooks = [part.register_forward_hook(lambda layer, *_: used.add(layer)) for part in linear.values()]
    was_training = classifier.training
    classifier.eval()
    with torch.no_grad():
        classifier(tokens)
    classifier.train(was_training)
    for hook in hooks:
        hook.remove()
    return [f"encoder.{name}" for name, part in linear.items() if part in used]
