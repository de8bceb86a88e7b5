"""How good the rules of a saved reference were on its held-out cells, from what it keeps of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from scviz.tasks.transfer import Method
from scviz.tasks.transfer.judging import Codes, Found, chosen_method, named, scored_method
from scviz.tasks.transfer.references import BARS, BASELINE, JUDGED, TRUTH, Kept, Reference, Rule
from scviz.tasks.transfer.rules import Floats, probabilities


def found_of(rules: Sequence[Rule], kept: Kept, *, seconds: Mapping[str, float]) -> Found:
    """Give what is known of each rule, and which one names: the one that the run chose where it learned the rules.

    Parameters
    ----------
    seconds
        How long each rule took, by name.
    """
    reference, tensors = kept.reference, kept.tensors
    if TRUTH not in tensors:  # an older one
        methods = [_as_recorded(rule, seconds[rule.name]) for rule in rules]
        return Found(
            methods=tuple(methods),
            chosen=_chosen(reference, methods),
            n_validation=reference.n_validation,
        )
    truth = np.asarray(tensors[TRUTH], dtype=np.int64)
    judged = {
        rule.name: probabilities(np.asarray(tensors[f"{rule.key}{JUDGED}"], np.float32), rule.temperature)
        for rule in rules
    }
    methods = [
        _scored(rule, truth, judged[rule.name], types=reference.types, seconds=seconds[rule.name])
        for rule in rules
    ]
    return Found(
        methods=tuple(methods),
        chosen=_chosen(reference, methods),
        truth=truth,
        judged=judged,
        baselines=_baselines(kept),
        bars={rule.name: rule.bar for rule in rules if np.isfinite(rule.bar)},
        judged_bars=_bars(rules, kept),
        n_validation=reference.n_validation,
        n_calibrating=reference.n_calibrating,
    )


def _chosen(reference: Reference, methods: Sequence[Method]) -> str:
    if reference.chosen in {one.name for one in methods}:
        return reference.chosen
    return chosen_method(methods, n_validation=reference.n_validation)


def _baselines(kept: Kept) -> dict[str, Codes]:
    return {
        name: np.asarray(kept.tensors[f"{BASELINE}{number}"], dtype=np.int64)
        for number, name in enumerate(kept.reference.baselines)
    }


def _bars(rules: Sequence[Rule], kept: Kept) -> dict[str, Floats]:
    """Read the bar of each held-out cell, (M,), by rule, where they differ."""
    keys = {rule.name: f"{rule.key}{BARS}" for rule in rules}
    return {
        name: np.asarray(kept.tensors[key], np.float32) for name, key in keys.items() if key in kept.tensors
    }


def _as_recorded(rule: Rule, seconds: float) -> Method:
    return Method(
        name=rule.name,
        temperature=rule.temperature,
        validated=rule.validated,
        accuracy=rule.accuracy,
        macro_f1=rule.macro_f1,
        seconds=seconds,
        fewer=rule.fewer,
    )


def _scored(rule: Rule, truth: Codes, judged: Floats, *, types: Sequence[str], seconds: float) -> Method:
    """Score a rule on the held-out cells, by (M,) types and (M, K) probabilities."""
    method = scored_method(
        rule.name,
        truth,
        named(judged),
        types=types,
        temperature=rule.temperature,
        validated=rule.validated,
        seconds=seconds,
    )
    return replace(method, fewer=rule.fewer)
