"""Every foundation model, small and untrained, for tests of what holds for all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from scviz.foundation.model import FoundationModel
from scviz.models import MODELS, model_class
from tests.models.cells import planted_cells

every_model = pytest.mark.parametrize("name", MODELS)


@cache
def built(name: str) -> FoundationModel:
    torch.manual_seed(0)
    return model_class(name).untrained(planted_cells(), "tiny").eval()


@cache
def embedded(name: str) -> np.ndarray:
    return built(name).embed(planted_cells())
