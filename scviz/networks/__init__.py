"""Groups of genes and links between them: from arrays, without any model."""
