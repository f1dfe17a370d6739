"""HTTP routes of the configuration. Thin: each calls the service and shapes the answer."""

from appliance_agent.config.diff import without_secrets
from appliance_agent.features.configuration.edit import COLLECTIONS, SINGLETONS
from appliance_agent.features.configuration.model import (
    ApplyOrder,
    ConfigView,
    DiffView,
    ItemSaved,
    JobView,
    RevisionSaved,
    VersionView,
)
from appliance_agent.features.configuration.service import Configuration
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.clock import rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault

LARGEST_NUMBER = 2**31


class ConfigurationApi:
    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/config", Role.TECHNICIAN, self._view, "The draft", reply=ConfigView),
            Route("GET", "/config/diff", Role.TECHNICIAN, self._diff, "What an apply would change", reply=DiffView),
            Route("POST", "/config/apply", Role.ADMIN, self._apply, "Make the draft run",
                  body=ApplyOrder, reply=JobView, status=202, errors=(409,)),
            Route("GET", "/config/jobs/{id}", Role.TECHNICIAN, self._job, "One apply", reply=JobView, errors=(404,)),
            Route("DELETE", "/config/jobs/{id}", Role.ADMIN, self._cancel, "Cancel an apply that still waits",
                  reply=JobView, errors=(404, 409)),
            Route("DELETE", "/config/draft", Role.ADMIN, self._discard, "Back to what runs", reply=RevisionSaved),
            Route("GET", "/config/versions", Role.TECHNICIAN, self._versions, "Versions, newest first",
                  reply=list[VersionView]),
            Route("POST", "/config/versions/{n}/rollback", Role.ADMIN, self._rollback, "The draft becomes version n",
                  reply=RevisionSaved, errors=(404,)),
            *(route for collection in COLLECTIONS for route in self._item_routes(collection)),
            *(self._singleton_route(name) for name in SINGLETONS),
        ]  # fmt: skip

    def _item_routes(self, collection: str) -> list[Route]:
        async def put(call: Call) -> ItemSaved:
            revision = if_match(call)
            return await self._put(call, collection, call.path["id"], revision)

        async def delete(call: Call) -> RevisionSaved:
            revision = await self._configuration.delete(call.who, collection, call.path["id"], if_match(call))
            return RevisionSaved(revision=revision)

        path = f"/config/{collection}/{{id}}"
        return [
            Route("PUT", path, Role.ADMIN, put, f"Create or replace one of the {collection}; If-Match: <revision>",
                  body=COLLECTIONS[collection], reply=ItemSaved, errors=(409,), if_match=True),
            Route("DELETE", path, Role.ADMIN, delete, f"Remove one of the {collection}; If-Match: <revision>",
                  reply=RevisionSaved, errors=(404, 409), if_match=True),
        ]  # fmt: skip

    def _singleton_route(self, name: str) -> Route:
        async def put(call: Call) -> ItemSaved:
            return await self._put(call, name, "", if_match(call))

        return Route("PUT", f"/config/{name}", Role.ADMIN, put, f"Replace the {name}; If-Match: <revision>",
                     body=SINGLETONS[name], reply=ItemSaved, errors=(409,), if_match=True)  # fmt: skip

    async def _put(self, call: Call, collection: str, name: str, revision: int) -> ItemSaved:
        saved, item = await self._configuration.put(call.who, collection, name, call.body, revision)
        return ItemSaved(revision=saved, item=item.model_dump(mode="json"))

    async def _view(self, call: Call) -> ConfigView:
        view = await self._configuration.view()
        if call.who.role == "admin":
            return view
        return view.model_copy(update={"document": without_secrets(view.document)})

    async def _diff(self, _call: Call) -> DiffView:
        return await self._configuration.diff()

    async def _apply(self, call: Call) -> JobView:
        order: ApplyOrder = call.body
        job = await self._configuration.apply(call.who, order.revision, order.when, order.comment)
        return JobView.model_validate(job.as_dict())

    async def _job(self, call: Call) -> JobView:
        return JobView.model_validate((await self._configuration.job(call.path["id"])).as_dict())

    async def _cancel(self, call: Call) -> JobView:
        return JobView.model_validate((await self._configuration.cancel(call.who, call.path["id"])).as_dict())

    async def _discard(self, call: Call) -> RevisionSaved:
        return RevisionSaved(revision=await self._configuration.discard(call.who))

    async def _versions(self, _call: Call) -> list[VersionView]:
        return [
            VersionView.model_validate(
                {"version": one.version, "at": rfc3339(one.at_us), "by": one.author, "comment": one.comment,
                 "state": one.state}
            )
            for one in await self._configuration.versions()
        ]  # fmt: skip

    async def _rollback(self, call: Call) -> RevisionSaved:
        number = call.path["n"]
        if not number.isascii() or not number.isdigit() or int(number[:10]) > LARGEST_NUMBER or len(number) > 10:
            raise Fault(FaultKind.NOT_FOUND, "config.version", f"There is no version {number[:20]!r}")
        return RevisionSaved(revision=await self._configuration.rollback(call.who, int(number)))


def if_match(call: Call) -> int:
    """The revision in the header If-Match, with or without quotes. Raises Fault."""
    value = call.request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not value.isascii() or not value.isdigit() or len(value) > 10:
        raise Fault(
            FaultKind.INVALID, "config.if_match", "The header If-Match must name the draft's revision",
            hint="Send If-Match with the revision that GET /config told.",
            fields=[FieldFault("header/If-Match", "must be a whole number")],
        )  # fmt: skip
    return int(value)
