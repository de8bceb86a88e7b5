"""Schedulers and workers of Dask open an HTTP port each, whatever they are told; an engine has none.

A worker imports this file before it starts (`distributed.worker.preload`), the engine before its scheduler does.
"""

from __future__ import annotations

from typing import Any

from distributed.node import ServerNode


class _NoServer:
    """Stands where the HTTP server would."""

    port = 0

    def stop(self) -> None:
        """Have nothing to stop."""


def _start_none(self: Any, *_: object, **__: object) -> None:
    self.http_server = _NoServer()


ServerNode.start_http_server = _start_none  # type: ignore[method-assign]
