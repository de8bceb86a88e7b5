"""Published weights that the owner of a server wants there from the start: SCVIZ_PREFETCH."""

from __future__ import annotations

from scviz.errors import RequestError, SettingsError
from scviz.jobs.queue import RunQueue
from scviz.models import MODELS, released_as
from scviz.settings import Settings
from scviz.tasks import downloading
from scviz.workspace import Workspace
from scviz.workspace.people import LOCAL, SERVER


def prefetch(settings: Settings, workspace: Workspace) -> list[str]:
    """Hand in the download of the published weights that are wanted and not here; returns the ids of the runs.

    Raises
    ------
    SettingsError
        If nobody publishes any of a name, their license is not accepted, or they cannot be had without a hand.
    """
    _refuse_unknown(settings)
    wanted = [_request(name, settings) for name in settings.prefetch]
    here = workspace.names_of_weights()
    asked = [request for request in wanted if request.released not in here]
    if not asked:
        return []
    print(f"Downloading {', '.join(request.released for request in asked)} …", flush=True)
    queue = RunQueue(settings)
    owner = SERVER if settings.login else LOCAL
    return [queue.submit("downloading", request, owner).run for request in asked]


def _refuse_unknown(settings: Settings) -> None:
    if unknown := [name for name in settings.accept_licenses if name.lower() not in MODELS]:
        raise SettingsError(
            f"SCVIZ_ACCEPT_LICENSES names {', '.join(unknown)}.", hint=f"The models are: {', '.join(MODELS)}."
        )


def _request(name: str, settings: Settings) -> downloading.Request:
    """Ask for the download of one, or say what stands in its way."""
    try:
        card, released = released_as(name)
        if card.name not in {model.lower() for model in settings.accept_licenses}:
            raise SettingsError(
                f"SCVIZ_PREFETCH names {released.name}, whose license nobody has accepted ({card.licence}).",
                hint=f"Read it at {card.source}. SCVIZ_ACCEPT_LICENSES={card.name} says: {card.agreement}",
            )
        return downloading.Request(model=card.name, released=released.name, accepted_licence=True)
    except RequestError as error:
        raise SettingsError(f"SCVIZ_PREFETCH: {error}", hint=error.hint) from error
