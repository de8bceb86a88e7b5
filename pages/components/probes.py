"""What machines ask: does it live (`/healthz`), does it take requests (`/readyz`), its numbers (`/metrics`)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages.components.packed import App, Receive, Scope, Send
from scviz.jobs.standing import Number, not_ready, numbers
from scviz.settings import Settings
from scviz.workspace.database import Database

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
STREAMLITS_OWN = "/_stcore/metrics"
NOT_FOUND, NOT_NOW = 404, 503


class Probes:
    """The three answers; none needs a login, and none says anything of anybody's data."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def routes(self) -> list[Route]:
        """Where they are asked, whatever path a proxy offers the pages below: proxies need not let these through."""
        found = [Route("/healthz", self.health), Route("/readyz", self.ready)]
        return [*found, Route("/metrics", self.metrics)] if self.settings.metrics else found

    @cached_property
    def _database(self) -> Database:
        return Database.from_settings(self.settings)

    async def health(self, _: Request) -> Response:
        """Say that the process answers."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Say whether workspace and table of runs can be used, else why not."""
        found = await run_in_threadpool(lambda: not_ready(self.settings, self._database))
        return PlainTextResponse(
            "".join(f"{line}\n" for line in found or ["ready"]), NOT_NOW if found else 200
        )

    async def metrics(self, _: Request) -> Response:
        """Give the numbers."""
        found = await run_in_threadpool(lambda: numbers(self.settings, self._database))
        return PlainTextResponse(exposition(found), media_type=PROMETHEUS)


def exposition(found: Iterable[Number]) -> str:
    """Write numbers as Prometheus reads them.

    Examples
    --------
    >>> print(exposition([Number(name="runs", meaning="Runs.", values={"done": 2}, case="state")]), end="")
    # HELP runs Runs.
    # TYPE runs gauge
    runs{state="done"} 2
    """
    lines = []
    for number in found:
        lines += [f"# HELP {number.name} {number.meaning}", f"# TYPE {number.name} gauge"]
        for case, value in number.values.items():
            labels = f'{{{number.case}="{case}"}}' if number.case else ""
            lines.append(f"{number.name}{labels} {value:.15g}")
    return "".join(f"{line}\n" for line in lines)


class NoNumbers:
    """ASGI middleware: keeps Streamlit's own numbers, which anybody could ask for, behind the same switch."""

    def __init__(self, app: App, *, shown: bool) -> None:
        self.app, self._shown = app, shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or say that there is nothing."""
        asked = scope["type"] == "http" and scope["path"].rstrip("/").endswith(STREAMLITS_OWN)
        if asked and not self._shown:
            await PlainTextResponse("Not Found\n", NOT_FOUND)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
