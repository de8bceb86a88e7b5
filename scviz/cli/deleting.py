"""Commands that take things away: `delete`, and `trash`, from which they come back for a day."""

from __future__ import annotations

import argparse
import time
from typing import Any

from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.cleaning import Cleaner, rules_of
from scviz.workspace.database import Database
from scviz.workspace.dependents import KINDS
from scviz.workspace.sizes import in_words
from scviz.workspace.trash import Trash


def add_command(entries: Any) -> None:
    """Offer both."""
    deleted = entries.add_parser(
        "delete",
        help="put a dataset, checkpoint, terms, upload or run into the trash, with what depends on it",
    )
    deleted.add_argument("kind", choices=KINDS)
    deleted.add_argument("thing", help="its id; for an upload its folder in uploads")
    deleted.add_argument("--yes", action="store_true", help="do it; otherwise only what would go is said")
    deleted.set_defaults(command=delete)

    kept = entries.add_parser(
        "trash",
        help="list what was deleted within a day, take it back, empty the trash, or clean by SCVIZ_CLEAN",
    )
    kept.add_argument("action", nargs="?", choices=["list", "take-back", "empty", "clean"], default="list")
    kept.add_argument("entry", nargs="?", help="id of an entry, as the list prints it")
    kept.set_defaults(command=show_trash)


def delete(options: argparse.Namespace, settings: Settings) -> None:
    """Say what would go, and put it into the trash where that is wanted."""
    trash = _trash(settings)
    print(*trash.would_delete(options.kind, options.thing).sentences, sep="\n")
    if not options.yes:
        print("Nothing was deleted: say --yes to do it.")
        return
    entry = trash.delete(options.kind, options.thing)
    print(f"Deleted. `python -m scviz trash take-back {entry.id}` brings it back within a day.")


def show_trash(options: argparse.Namespace, settings: Settings) -> None:
    """List the trash, take something back, or empty it.

    Raises
    ------
    RequestError
        If nothing is named that could be taken back.
    """
    trash = _trash(settings)
    if options.action == "empty":
        print(f"Emptied: {in_words(trash.empty())} are free again.")
    elif options.action == "take-back":
        if options.entry is None:
            raise RequestError(
                "Nothing was selected.", hint="Give the id of an entry; `python -m scviz trash` lists them."
            )
        print(f"{trash.take_back(options.entry).name} is back.")
    elif options.action == "clean":
        _clean(settings, trash)
    else:
        for one in trash.entries():
            hours = max(0.0, one.expires - time.time()) / 3600
            print(f"{one.id}  {one.kind:<10} {in_words(one.size):>9}  {one.name}, gone in {hours:.0f} h")


def _trash(settings: Settings) -> Trash:
    trash = Trash(Workspace.from_settings(settings), Database.from_settings(settings))
    trash.tidy()
    return trash


def _clean(settings: Settings, trash: Trash) -> None:
    """Remove what the settings say, and say what went."""
    workspace, database = Workspace.from_settings(settings), Database.from_settings(settings)
    gone = Cleaner(workspace, database, trash).clean(rules_of(settings.clean))
    for one in gone:
        print(f"{one.kind}  {one.id}")
    print(f"{len(gone):,} gone. SCVIZ_CLEAN says what goes: {', '.join(settings.clean) or 'nothing'}.")
