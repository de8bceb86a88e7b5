"""The trash as one person finds it: what she has deleted herself."""

from __future__ import annotations

from scviz.workspace.dependents import Kind
from scviz.workspace.people import Person
from scviz.workspace.trash import Deletion, Entry, Trash


class OwnTrash:
    """Deletes things of one person, takes them back, and forgets them; see `Trash`.

    Parameters
    ----------
    trash
        The trash of the server.
    person
        Who asks.
    """

    def __init__(self, trash: Trash, person: Person) -> None:
        self._trash, self._person = trash, person

    def would_delete(self, kind: Kind, identifier: str) -> Deletion:
        """Say what deleting a thing would take away."""
        return self._trash.would_delete(kind, identifier, self._person)

    def delete(self, kind: Kind, identifier: str) -> Entry:
        """Put a thing and the runs that depend on it into the trash."""
        return self._trash.delete(kind, identifier, self._person)

    def entries(self) -> list[Entry]:
        """List what she has deleted, newest first."""
        return self._trash.entries(self._person.id)

    def take_back(self, entry: str) -> Entry:
        """Put a thing and its runs back where they were."""
        return self._trash.take_back(entry, by=self._person.id)

    def empty(self) -> int:
        """Forget what she has deleted; returns bytes."""
        return self._trash.empty(by=self._person.id)
