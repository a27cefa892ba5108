"""A worker's own web server: ``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for whoever starts it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from stream_app.access import is_authorized, token_for

Reasons = Callable[[], Sequence[str]]
"""Why something is not (yet) so, in words; empty when it is."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def nothing_against() -> Sequence[str]:
    """No reason at all."""
    return ()


def web_address(host: str, port: int) -> str:
    """``http://host:port``, with brackets where IPv6 needs them."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def create_health_app(
    registry: CollectorRegistry,
    *,
    not_alive: Reasons = nothing_against,
    not_ready: Reasons = nothing_against,
    token: str | None = None,
) -> web.Application:
    """The application. ``/healthz`` and ``/readyz`` answer 200, or 503 with the reasons.

    With ``token`` every request must carry it as a bearer token, or is answered 401.
    """
    app = web.Application(middlewares=[_guard(token)])
    app.router.add_get("/metrics", _metrics(registry))
    app.router.add_get("/healthz", _verdict("alive", not_alive))
    app.router.add_get("/readyz", _verdict("ready", not_ready))
    return app


@dataclass
class HealthServer:
    """The application on an address. Raises ``UnsafeAddressError`` from ``start`` where others could reach it unasked."""

    registry: CollectorRegistry
    host: str
    port: int
    token_file: Path | None = None
    not_alive: Reasons = nothing_against
    not_ready: Reasons = nothing_against
    _runner: web.AppRunner | None = field(default=None, init=False)

    async def start(self) -> None:
        """Listens from here on; ``address`` tells where."""
        token = token_for(self.host, self.token_file, "metrics")
        app = create_health_app(self.registry, not_alive=self.not_alive, not_ready=self.not_ready, token=token)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()

    @property
    def address(self) -> str:
        """``http://host:port`` with the port in use, which differs from the setting when that is 0."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the server has not been started")
        host, port = self._runner.addresses[0][:2]
        return web_address(host, port)

    async def stop(self) -> None:
        """Closes the port. Harmless when it was never open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _metrics(registry: CollectorRegistry) -> _Handler:
    async def metrics(request: web.Request) -> web.StreamResponse:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return metrics


def _verdict(word: str, reasons: Reasons) -> _Handler:
    async def verdict(_request: web.Request) -> web.StreamResponse:
        found = reasons()
        if not found:
            return web.Response(text=f"{word}\n")
        return web.Response(status=503, text="".join(f"not {word}: {reason}\n" for reason in found))

    return verdict


def _guard(token: str | None) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_authorized(request.headers.get("Authorization", ""), token):
            return await handler(request)
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}, text="a bearer token is needed\n")

    return guard
