"""Turn a file of any other format into an h5ad, some cells at a time, with a sentence for all that was decided."""
