"""The folder where everything is kept; the only code that builds paths."""

from scviz.workspace.store import CheckpointInfo, ColumnInfo, CountsSource, DatasetInfo, TermsInfo, Workspace

__all__ = ["CheckpointInfo", "ColumnInfo", "CountsSource", "DatasetInfo", "TermsInfo", "Workspace"]
