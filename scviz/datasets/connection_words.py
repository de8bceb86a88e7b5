"""Why a download failed, in words for somebody who runs no network; worker only."""

from __future__ import annotations

import errno

import httpx2

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def why_not_fetched(error: Exception, place: str) -> str:
    """Say in a sentence what went wrong; what the library says of it stays in the log.

    Parameters
    ----------
    place
        Name of the server that was asked, such as huggingface.co.

    Examples
    --------
    >>> why_not_fetched(httpx2.ConnectError("[Errno -2] Name or service not known"), "huggingface.co")
    'This server has no connection to huggingface.co.'
    >>> why_not_fetched(OSError(errno.ENOSPC, "No space left on device"), "huggingface.co")
    'The disk of this server is full.'
    """
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"{place} refused it (answer {status})."
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return f"{place} did not answer in time."
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return f"This server has no connection to {place}."
    if isinstance(error, httpx2.HTTPError | ConnectionError):
        return f"The connection to {place} broke off."
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return "The disk of this server is full."
    if isinstance(error, OSError) and error.errno in NOT_ALLOWED:
        return "This server may not write into its own folder."
    return f"What came from {place} was not the whole file."
