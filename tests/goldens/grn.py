"""Checks of the family grn, which is one folder of files; each check takes that folder."""

from __future__ import annotations

from tests.goldens import grn_attention, grn_enrichment, grn_modules, grn_scenic

CHECKS = grn_attention.CHECKS | grn_enrichment.CHECKS | grn_modules.CHECKS | grn_scenic.CHECKS
