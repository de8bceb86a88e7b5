"""Every error a user can meet: what is wrong, and what to do next."""

from __future__ import annotations


class ScvizError(Exception):
    """A problem that a user caused or can mend.

    Parameters
    ----------
    message
        What is wrong, a full sentence with the names and numbers in it.
    hint
        What to do next, a full sentence; what its kind says where it is empty.
    """

    HINT = ""
    """What to do next about any error of the kind."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.HINT


class NotAllowedError(ScvizError):
    """Somebody asked for what is not theirs, or may only look."""


class LimitError(ScvizError):
    """Somebody, or the whole server, has used up what may be used."""


class DataError(ScvizError):
    """Something is wrong with a dataset."""


class UnreadableFileError(DataError):
    """The file is no dataset that can be read."""

    HINT = "Copy or download it again, or write it anew with the program that made it."


class UnsafeFileError(DataError):
    """The file points outside itself or unpacks to more than it should."""

    HINT = "Write it anew with the program that made it, as one file that holds all its values."


class FileNotAllowedError(DataError):
    """The file lies outside the folders that the server's owner has opened."""


class MissingColumnError(DataError):
    """The dataset lacks a column that was asked for."""


class CountsError(DataError):
    """No matrix of the dataset holds raw counts."""


class GeneMatchError(DataError):
    """The dataset and the model share too few genes."""


class ModelError(ScvizError):
    """Something is wrong with a model or its weights."""


class UnknownModelError(ModelError):
    """No model of that name exists."""


class CheckpointError(ModelError):
    """The checkpoint is incomplete, of another model, or unsafe to read."""


class UnsupportedTaskError(ModelError):
    """The model cannot do what was asked."""


class SettingsError(ScvizError):
    """An environment variable that sets scviz up is unknown, or its value is not understood."""


class RequestError(ScvizError):
    """A request with values that do not go together."""


class JobError(ScvizError):
    """Something went wrong while a run was carried out."""


class JobCancelledError(JobError):
    """The run was stopped by its user."""


class DatabaseError(JobError):
    """The database of runs cannot be used for now; what is in it is safe."""


class OutOfMemoryError(JobError):
    """The work does not fit into memory, even in its smallest pieces."""
