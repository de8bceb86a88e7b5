"""Checks of the family perturbation, which is one folder of files; each check takes that folder."""

from __future__ import annotations

from tests.goldens import perturbation_baselines, perturbation_gears, perturbation_metrics

CHECKS = perturbation_baselines.CHECKS | perturbation_gears.CHECKS | perturbation_metrics.CHECKS
