"""One OpenAI-compatible server over HTTP, with the standard library alone.

Only https, or http to this machine: an answer and a key never cross a network in the clear.
Redirects are refused, as they would carry the key elsewhere.
"""

from __future__ import annotations

import ipaddress
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from email.message import Message
    from typing import IO

#: Seconds to wait for the list of models, and for a verdict.
PROBE_SECONDS = 1.0
JUDGE_SECONDS = 30.0
#: More than any verdict needs.
_MOST_BYTES = 1_000_000


class ServerFault(Exception):
    """The server can't be used; the message says why and holds no key."""


class Rejected(ServerFault):
    """The server answered that the request is not to its taste (HTTP 4xx)."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        """Refuse: urllib then raises HTTPError with the redirect's code."""


class Server:
    """The server at `base_url`, such as https://example.org/v1. The key stays in memory."""

    def __init__(self, base_url: str, key: str = "") -> None:
        """Raises ServerFault for an address that is neither https nor this machine."""
        try:
            parts = urlsplit(base_url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise ServerFault(f"the address can't be read: {error}") from None
        #: Host and port as shown to the user; never the path or a password.
        self.host = f"{parts.hostname or ''}{port}"
        safe = parts.scheme == "https" or (
            parts.scheme == "http" and is_loopback(parts.hostname or "")
        )
        if not safe or not parts.hostname:
            raise ServerFault(
                f"{self.host or 'the address'} is neither https nor an address of this machine"
            )
        if parts.username or parts.password:
            raise ServerFault("the address holds a password; use STUDYTOOL_LLM_API_KEY")
        self._base = base_url.rstrip("/")
        self._key = key
        # No proxy for this machine: a proxy would see the answer.
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if is_loopback(parts.hostname):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def __repr__(self) -> str:
        return f"Server({self.host!r})"

    def get(self, path: str, seconds: float) -> Any:
        """The JSON that the server gives for `path`. Raises ServerFault."""
        return self._call(path, None, seconds)

    def post(self, path: str, body: object, seconds: float) -> Any:
        """The JSON that the server answers to `body`. Raises ServerFault, Rejected for HTTP 4xx."""
        return self._call(path, msgspec.json.encode(body), seconds)

    def _call(self, path: str, body: bytes | None, seconds: float) -> Any:
        request = urllib.request.Request(self._base + path, data=body)
        request.add_header("Content-Type", "application/json")
        if self._key:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        try:
            with self._opener.open(request, timeout=seconds) as reply:
                raw = reply.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            kind = Rejected if 400 <= error.code < 500 else ServerFault
            error.close()
            raise kind(f"{self.host} answered {error.code}") from None
        except (urllib.error.URLError, OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            raise ServerFault(f"{self.host} can't be reached: {reason}") from None
        if len(raw) > _MOST_BYTES:
            raise ServerFault(f"{self.host} answered more than {_MOST_BYTES} bytes")
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ServerFault(f"{self.host} answered something that is not JSON") from None


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine by itself, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
