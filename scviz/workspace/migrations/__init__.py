"""How tables of earlier versions become those of this one: a step each in `versions`, carried out by Alembic."""
