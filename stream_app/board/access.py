"""Who may read the board, and the headers that keep its pages from doing anything else."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from stream_app.access import LEAST_TOKEN_LENGTH, is_loopback
from stream_app.board.options import BoardOptions

COOKIE: Final = "deskpulse_board"
COOKIE_SECONDS: Final = 365 * 86_400
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class BoardRefusedError(Exception):
    """The board must not start like this; the text says why and what to do."""


def refuse_open_board(options: BoardOptions) -> None:
    """Raise ``BoardRefusedError`` where the board would show customer data to whoever can reach the address."""
    if options.token is None:
        if not is_loopback(options.host):
            message = (
                f"The board would be readable by anyone who can reach {options.host}:{options.port}. "
                "Give it a token with --token-file FILE, or leave --host at 127.0.0.1."
            )
            raise BoardRefusedError(message)
    elif len(options.token) < LEAST_TOKEN_LENGTH or not options.token.isascii():
        message = f"The board's token must have at least {LEAST_TOKEN_LENGTH} characters, ASCII only."
        raise BoardRefusedError(message)


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare``, so that errors and streams carry them as well."""
    response.headers.update(SECURITY_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


def gate(options: BoardOptions) -> Middleware:
    """Middleware that lets in whoever has the token; without a token, whoever asks for this machine by its name."""
    return _local_gate() if options.token is None else _token_gate(options.token)


def _local_gate() -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_loopback(request.url.host or ""):
            # A page elsewhere can point its own name at 127.0.0.1 and read the answers (DNS rebinding).
            raise web.HTTPForbidden(text="This board answers to localhost only. Start it with a token for other names.")
        return await handler(request)

    return middleware


def _token_gate(token: str) -> Middleware:
    cookie = cookie_value(token)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/healthz" or _same(request.cookies.get(COOKIE, ""), cookie):
            return await handler(request)
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(credentials.strip(), token):
            return await handler(request)
        if _same(request.query.get("token", ""), token):
            raise _with_cookie(request, cookie)
        raise web.HTTPUnauthorized(
            text="This board needs its token: open it once as /?token=… or send it as a bearer token.",
            headers={"WWW-Authenticate": 'Bearer realm="deskpulse board"'},
        )

    return middleware


def cookie_value(token: str) -> str:
    """What the cookie holds in place of the token; the same after a restart, so a wall screen stays signed in."""
    return hmac.new(token.encode(), b"deskpulse board cookie", hashlib.sha256).hexdigest()


def _with_cookie(request: web.Request, cookie: str) -> web.HTTPFound:
    """To the same address without the token, which so stays out of the history and of links."""
    query = [(name, value) for name, value in request.query.items() if name != "token"]
    response = web.HTTPFound(request.rel_url.with_query(query))
    response.set_cookie(COOKIE, cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="Strict")
    return response


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
