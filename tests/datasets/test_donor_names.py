"""Columns of donors, told from those of what donors share."""

from __future__ import annotations

import pytest

from scviz.datasets.donor_names import donors_first, says_attribute
from scviz.workspace import ColumnInfo


def first(**n_values: int) -> tuple[str, ...]:
    return donors_first(ColumnInfo(name=name, kind="batch", n_values=n) for name, n in n_values.items())


@pytest.mark.parametrize(
    "name",
    [
        *("donor_sex", "donor_age_group", "sample_type", "sampleSource", "patientstatus", "library_prep"),
        *(
            "disease_of_patient",
            "Sample.Condition",
            "donor_gender_ontology_term_id",
            "mouse_strain",
            "n_donors",
        ),
    ],
)
def test_what_donors_share_is_no_donor(name: str) -> None:
    assert says_attribute(name)
    assert not says_attribute("batch")  # which may stand for donors where nothing else does
    assert first(**{name: 2}) == ()


@pytest.mark.parametrize(
    "name", ["donor", "Donor_ID", "patientID", "sampleid", "biosample.name", "mouse", "ind", "rep"]
)
def test_donors_are_known_by_their_names(name: str) -> None:
    assert first(cell_type=5, **{name: 4}) == (name,)


def test_plain_names_come_first_then_the_better_word_then_more_values() -> None:
    assert first(donor_sex=2, donor_x=40, sample_type=2, sample_id=20, donor=8, donor_id=16) == (
        *("donor_id", "donor", "sample_id", "donor_x"),
    )
