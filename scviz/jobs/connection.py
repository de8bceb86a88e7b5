"""One connection of a web process to the scheduler: that of a cluster, or of the engine of this machine."""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from scviz.errors import JobError
from scviz.jobs import engine
from scviz.jobs.keys import CERTIFICATE, KEY, engine_key, security_of
from scviz.settings import Settings

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

CONNECT_SECONDS = 20.0
HUNG_SECONDS = 60.0
"""How long an engine that did not answer is given before it is ended and replaced."""
PATIENCE_SECONDS = 180.0
"""How long a thread waits for another one that starts an engine or ends one that hangs."""


class Connection:
    """Connects when it is asked for, and again where that was lost.

    Parameters
    ----------
    is_idle
        Tells whether the engine has no runs, so that one of another version can make room.
    """

    def __init__(self, settings: Settings, *, is_idle: Callable[[], bool]) -> None:
        self.settings, self._is_idle = settings, is_idle
        self._client: Client | None = None
        self._address = ""
        self._one_at_a_time = threading.Lock()

    def client(self) -> Client:
        """Return the connection; an engine is started if none answers.

        Raises
        ------
        JobError
            If the cluster does not answer, or no engine can be started.
        """
        with self._alone():
            if self.settings.scheduler:
                return self._client_at(self.settings.scheduler)
            return self._client_of_engine()

    def to_running(self) -> Client | None:
        """Return the connection; None where no engine is there.

        Raises
        ------
        JobError
            If it does not answer.
        """
        with self._alone():
            if self.settings.scheduler:
                return self._client_at(self.settings.scheduler)
            found = engine.find(self.settings.home)
            return self._client_at(found.address) if found else None

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Have one thread connect at a time; the others wait, and not for ever."""
        if not self._one_at_a_time.acquire(timeout=PATIENCE_SECONDS):
            raise JobError("The compute engine takes too long to answer.", hint="Try again in a minute.")
        try:
            yield
        finally:
            self._one_at_a_time.release()

    def _client_of_engine(self) -> Client:
        """Connect to the engine of this machine; one that hangs, or an idle one of another version, is replaced."""
        home, env = self.settings.home, self.settings.as_env()
        found = engine.find_or_start(self.settings, env)
        if found.version != engine.code_version() and self._is_idle():
            engine.end(home)
            found = engine.find_or_start(self.settings, env)
        for seconds in (CONNECT_SECONDS, HUNG_SECONDS):  # a busy machine answers late
            with suppress(JobError):
                return self._client_at(found.address, seconds=seconds)
        engine.end(home)
        return self._client_at(engine.find_or_start(self.settings, env).address)

    def _client_at(self, address: str, *, seconds: float = CONNECT_SECONDS) -> Client:
        from distributed import Client

        if self._client is not None and (self._address != address or self._client.status != "running"):
            self._client.close(timeout=1)
            self._client = None
        if self._client is None:
            try:
                self._client = Client(
                    address, set_as_default=False, timeout=seconds, security=self._security()
                )
            except TypeError as error:  # there is no key for an address that wants one
                raise JobError(
                    f"The scheduler at {address} is not called without a key.",
                    hint="Ask the owner of the server to set SCVIZ_SCHEDULER_KEY.",
                ) from error
            except (OSError, ValueError) as error:
                raise JobError(
                    f"The scheduler at {address} does not answer.",
                    hint="Ask the owner of the server whether the cluster is up.",
                ) from error
            self._address = address
        return self._client

    def _security(self) -> Security | None:
        """Return what is shown to the scheduler; None for what Dask's own configuration says."""
        if not self.settings.scheduler:
            return security_of(engine_key(self.settings.home))
        folder = self.settings.scheduler_key
        if folder is None:
            return None
        if missing := [name for name in (KEY, CERTIFICATE) if not (folder / name).is_file()]:
            raise JobError(
                f"SCVIZ_SCHEDULER_KEY is {folder}, where no {missing[0]} is.",
                hint="`python -m scviz cluster-key FOLDER` makes a key.",
            )
        return security_of(folder)
