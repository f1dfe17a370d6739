"""What a feature says about one HTTP route. `http.server` binds it to aiohttp, `http.openapi` documents it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiohttp import web
from pydantic import BaseModel


class Role(IntEnum):
    """Least role a route asks for. Admin ⊃ supervisor ⊃ agent; technician stands beside them (see `allows`)."""

    PUBLIC = 0
    ANY = 1
    """Any session."""
    AGENT = 2
    SUPERVISOR = 3
    TECHNICIAN = 4
    ADMIN = 5

    def allows(self, role: str) -> bool:
        """Whether a user with `role` (admin, supervisor, agent, technician) may call a route asking for self."""
        if self in (Role.PUBLIC, Role.ANY) or role == "admin":
            return True
        return (
            role
            in {
                Role.AGENT: {"agent", "supervisor"},
                Role.SUPERVISOR: {"supervisor"},
                Role.TECHNICIAN: {"technician"},
                Role.ADMIN: set[str](),
            }[self]
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: from the session cookie."""

    session_id: str
    user_id: str
    login: str
    name: str
    role: str
    extension: str | None
    """The extension this session speaks for (its user's own, or the one taken by hot-desk)."""
    address: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request, already checked: role, origin, sizes, path, query and body."""

    identity: Identity | None
    """None only on public routes without a session."""
    path: dict[str, str]
    query: Any
    """Instance of the route's `query` model, or None."""
    body: Any
    """Instance of the route's `body` model, or None."""
    request: web.Request
    """For streams (uploads, downloads, If-Match) only."""

    @property
    def who(self) -> Identity:
        assert self.identity is not None, "a route with a role always has an identity"
        return self.identity


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    """Below /api/v1: "/records/{call_id}". Path parameters are strings matching [^/]+ ."""
    role: Role
    handler: Callable[[Call], Awaitable[BaseModel | web.StreamResponse | list[Any] | None]]
    """Returns a model (or list of models) → JSON; None → 204; a StreamResponse as it is. Raises kernel.errors.Fault."""
    summary: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    reply: Any = None
    """Model, or list[Model], of the successful answer; None with status 204; "binary" for streams (see `media`)."""
    status: int = 200
    errors: tuple[int, ...] = ()
    """Besides what the kit itself can answer (400, 401, 403, 413, 415, 422, 503)."""
    media: str = "application/json"
    body_limit: int = 1_048_576
    """Bytes. Larger bodies get 413 before they are read."""
    multipart: bool = False
    """The body is a multipart form; the handler reads `request.multipart()` under `body_limit`."""
    socket: bool = False
    """A WebSocket: from an own page only, for as long as both sides like, and not in the OpenAPI document."""
    if_match: bool = False
    """The handler asks for `If-Match: <revision>` and answers 422 without it; the document says so."""
