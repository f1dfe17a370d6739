"""HTTP routes about people. Thin: each calls the service and shapes the answer."""

from aiohttp import web
from pydantic import BaseModel

from appliance_agent.features.people.audit import Actor, AuditTrail
from appliance_agent.features.people.model import (
    AuditPage,
    AuditQuery,
    Credentials,
    NewUser,
    Session,
    SessionChange,
    Setup,
    SipAccount,
    User,
    UserChange,
)
from appliance_agent.features.people.sessions import ABSOLUTE_US, Sessions
from appliance_agent.features.people.users import Users
from appliance_agent.http import peer
from appliance_agent.http.bind import json_answer
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.store.sessions import COOKIE


class PeopleApi:
    def __init__(self, users: Users, sessions: Sessions, audit: AuditTrail) -> None:
        self._users, self._sessions, self._audit = users, sessions, audit

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/setup", Role.PUBLIC, self._set_up, "Make the first administrator by the one-time link",
                  body=Setup, reply=Session, status=201, errors=(409, 429)),
            Route("POST", "/session", Role.PUBLIC, self._log_in, "Log in",
                  body=Credentials, reply=Session, status=201, errors=(401, 429)),
            Route("GET", "/session", Role.ANY, self._session, "Who I am", reply=Session),
            Route("PATCH", "/session", Role.ANY, self._change_session, "Take another extension; choose the language",
                  body=SessionChange, reply=Session, errors=(409,)),
            Route("DELETE", "/session", Role.ANY, self._log_out, "Log out; the seat logs out, too", reply=None),
            Route("GET", "/session/sip", Role.ANY, self._sip, "The browser phone's account, for this session only",
                  reply=SipAccount, errors=(409,)),
            Route("GET", "/users", Role.ADMIN, self._list, "All users", reply=list[User]),
            Route("POST", "/users", Role.ADMIN, self._create, "Make a user",
                  body=NewUser, reply=User, status=201, errors=(409, 429)),
            Route("PUT", "/users/{id}", Role.ADMIN, self._change, "Change a user; may end their sessions",
                  body=UserChange, reply=User, errors=(409, 429)),
            Route("DELETE", "/users/{id}", Role.ADMIN, self._remove, "Remove a user", reply=None, errors=(409,)),
            Route("GET", "/audit", Role.ADMIN, self._trail, "Who did what, newest first",
                  query=AuditQuery, reply=AuditPage),
        ]  # fmt: skip

    async def _set_up(self, call: Call) -> web.Response:
        address = peer.address(call.request)
        return await self._new_session(call, await self._users.set_up(call.body, address), address)

    async def _log_in(self, call: Call) -> web.Response:
        address = peer.address(call.request)
        user_id = await self._users.authenticate(call.body, address)
        return await self._new_session(call, user_id, address)

    async def _new_session(self, call: Call, user_id: str, address: str) -> web.Response:
        old = call.identity
        token, session = await self._sessions.open(user_id, address)
        actor = Actor(user_id, session.user.login, address)
        await self._audit.write(actor, "session.open", {"extension": session.extension})
        if old is not None:
            # The browser keeps one cookie: the session it had could never be used or closed again.
            await self._sessions.close(old.session_id)
        response = json_answer(session, 201)
        response.set_cookie(
            COOKIE, token, max_age=ABSOLUTE_US // 1_000_000, path="/", httponly=True, samesite="Strict",
            secure=peer.is_https(call.request),
        )  # fmt: skip
        return response

    async def _session(self, call: Call) -> BaseModel:
        return await self._sessions.show(call.who.session_id)

    async def _change_session(self, call: Call) -> BaseModel:
        session = await self._sessions.change(call.who, call.body)
        await self._audit(call.who, "session.change", call.body.model_dump(exclude_unset=True))
        return session

    async def _log_out(self, call: Call) -> web.Response:
        await self._sessions.close(call.who.session_id)
        await self._audit(call.who, "session.close", {})
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=peer.is_https(call.request))
        return response

    async def _sip(self, call: Call) -> BaseModel:
        return await self._sessions.sip_account(call.who)

    async def _list(self, _call: Call) -> list[User]:
        return await self._users.list()

    async def _create(self, call: Call) -> BaseModel:
        return await self._users.create(call.who, call.body)

    async def _change(self, call: Call) -> BaseModel:
        return await self._users.change(call.who, call.path["id"], call.body)

    async def _remove(self, call: Call) -> None:
        await self._users.remove(call.who, call.path["id"])

    async def _trail(self, call: Call) -> BaseModel:
        return await self._audit.page(call.query)
