"""Folders of things below one folder, as one person finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from scviz.errors import DataError, NotAllowedError, ScvizError
from scviz.workspace.names import may_be_a_name, not_here
from scviz.workspace.people import (
    MACHINE,
    VISITORS,
    Person,
    access_of,
    claim,
    mark_of,
    may_change,
    may_see,
    owner_of,
    person_of,
    sees,
)


class Shelves:
    """What is kept below one folder, and whose it is; what a person may not see is not there for her.

    Parameters
    ----------
    home
        The folder.
    person
        Who asks; the owner of the machine sees everything.
    """

    def __init__(self, home: Path, person: Person = MACHINE) -> None:
        self.home = home
        self.person = person

    def of(self, person: Person) -> Self:
        """Return the same workspace as a person sees it."""
        return type(self)(self.home, person)

    def for_run(self, run: str) -> Self:
        """Return the same workspace as the owner of a run sees it."""
        return self.of(person_of(self.home, owner_of(self._inside("runs", run))))

    def own_name(self, stem: str, key: str = "") -> str:
        """Return what a new thing of this person is called: equal things of two people are two, with two names.

        Examples
        --------
        >>> Shelves(Path("home")).own_name("cells", "1a2b3c4d5e6f")
        'cells-1a2b3c4d'
        """
        return "-".join(filter(None, (stem, mark_of(self.person), key[:8])))

    def claim(self, thing: Path) -> None:
        """Note that a new thing, by its folder, is this person's."""
        claim(self.person, thing)

    def may_change(self, thing: Path) -> bool:
        """Tell whether this person may change, share or delete a thing, by its folder."""
        return may_change(self.person, thing)

    def sees(self, shelf: str, name: str) -> bool:
        """Tell whether this person may see a thing of a shelf, such as `datasets`; so she may where there is none."""
        try:
            self._inside(shelf, name)
        except ScvizError:
            return False
        return True

    def lists(self, thing: Path) -> bool:
        """Tell whether the lists of this person name a thing, by its folder; none names a draft."""
        if thing.name.startswith("."):
            return False
        return self.person == MACHINE or sees(self.person, access_of(thing))

    def new_upload(self, name: str) -> Path:
        """Make a folder among the uploads for files of this person."""
        folder = self._inside("uploads", name)
        folder.mkdir(parents=True, exist_ok=True)
        self.claim(folder)
        return folder

    def folder_to_change(self, dataset: str) -> Path:
        """Return the folder of a dataset to note something in: groups, colors, terms of labels.

        What is noted goes with the dataset: those with whom it is shared see it, and may change it.

        Raises
        ------
        NotAllowedError
            If this person may look only.
        """
        if self.person.role == "viewer":
            raise NotAllowedError(
                "You may look at this, but not change it.", hint="Ask the owner of the server."
            )
        folder = self._inside("datasets", dataset)
        if self.person.issuer == VISITORS and not may_change(self.person, folder):
            raise NotAllowedError(
                "The examples of a demo server stay as they are.",
                hint="Open a file of yours to note things in it.",
            )
        return folder

    def _inside(self, *parts: str) -> Path:
        """Join names to a path that cannot leave the workspace."""
        path = self.home.joinpath(*parts)
        shelf = self.home / parts[0]
        names = Path(*parts).parts
        if ".." in names or shelf not in path.parents or not all(map(may_be_a_name, names)):
            raise DataError(f"{'/'.join(parts[1:])[:80]!r} is no name of something kept here.")
        if self.person != MACHINE and path.exists() and not may_see(self.person, path):
            raise not_here(parts[0], "/".join(parts[1:]))
        return path
