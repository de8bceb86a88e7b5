"""Commands about whose a thing is: `share`, with whom, and `transfer`, to whom it is handed over."""

from __future__ import annotations

import argparse
from typing import Any

from scviz.errors import RequestError
from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Database
from scviz.workspace.dependents import KINDS
from scviz.workspace.handing import THE_MACHINE, find_person, hand_over, thing_of, things_of
from scviz.workspace.people import MACHINE, Person, in_words, names_in


def add_command(entries: Any) -> None:
    """Offer both."""
    shared = entries.add_parser(
        "share", help="share a dataset, checkpoint, terms, reference, upload or run on a server with a login"
    )
    shared.add_argument("kind", choices=KINDS)
    shared.add_argument("thing", help="its id")
    shared.add_argument(
        "--with",
        dest="names",
        default="",
        help="verified addresses, code:CODE or everyone, separated by commas; nobody makes it private again",
    )
    shared.set_defaults(command=run)

    handed = entries.add_parser(
        "transfer",
        help="hand over to another person what somebody has, or what was made before anybody had to log in",
    )
    handed.add_argument(
        "thing", nargs="*", help="kind and id of one thing; its owner's runs on it go with it"
    )
    who = f"{THE_MACHINE}, a verified address, code:CODE or 'ISSUER SUBJECT'"
    handed.add_argument(
        "--from", dest="before", default=THE_MACHINE, help=f"whose, where no thing is named: {who}"
    )
    handed.add_argument("--to", required=True, help=f"whose they are to be: {who}")
    handed.add_argument("--yes", action="store_true", help="do it; otherwise only what would go is said")
    handed.set_defaults(command=transfer)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Share a thing with these and nobody else, and say with whom."""
    queue = OwnRuns(RunQueue(settings), MACHINE)
    access = queue.share(options.kind, options.thing, names_in(options.names))
    print(in_words(access.shared))


def transfer(options: argparse.Namespace, settings: Settings) -> None:
    """Say what would be handed over, and do it where that is wanted.

    Raises
    ------
    RequestError
        If one of the people, or the thing, is not known.
    """
    workspace, database = Workspace.from_settings(settings), Database.from_settings(settings)
    to = find_person(workspace.home, options.to)
    if options.thing:
        if len(options.thing) != 2 or options.thing[0] not in KINDS:
            raise RequestError(
                f"{' '.join(options.thing)!r} names no thing.",
                hint=f"Give a kind and an id; the kinds are {', '.join(KINDS)}.",
            )
        kind, identifier = options.thing
        things = thing_of(workspace, database, kind=kind, identifier=identifier)
    else:
        things = things_of(workspace, database, find_person(workspace.home, options.before).id)
    for one in things:
        print(f"{one.kind:<10} {one.id}  {one.name}")
    count = f"{len(things):,} {'thing' if len(things) == 1 else 'things'}"
    if not options.yes:
        print(f"{count} would go to {_called(to)}. Nothing was handed over: say --yes to do it.")
        return
    hand_over(workspace, database, things, to=to)
    print(f"{count} went to {_called(to)}. The audit log has a line for each.")


def _called(person: Person) -> str:
    """Say who somebody is."""
    if person == MACHINE:
        return "the machine"
    if not person.name and not person.email:
        return f"whoever logs in as {person.subject} at {person.issuer} (nobody has yet)"
    return person.called
