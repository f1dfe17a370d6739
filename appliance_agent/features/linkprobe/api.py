"""HTTP routes of link probes. Thin: each calls the service and shapes the answer."""

from collections.abc import Awaitable, Callable, Mapping

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.linkprobe.model import AnsweringOut, PeerOut, ProbeOrder, ProbeOut, ProbesOut
from appliance_agent.http.route import Call, Identity, Role, Route
from appliance_agent.linkprobe.plan import Step
from appliance_agent.system.linkprobe.answering import Answering
from appliance_agent.system.linkprobe.service import Asked, LinkProbes

Audit = Callable[[Identity, str, Mapping[str, object]], Awaitable[None]]


class LinkProbeApi:
    def __init__(
        self, probes: LinkProbes, answering: Answering, config: ConfigHolder, calls: Callable[[], int], audit: Audit
    ) -> None:
        self._probes, self._answering, self._config = probes, answering, config
        self._calls, self._audit = calls, audit

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/link-probes", Role.TECHNICIAN, self._all, "Peers, and probes of the links to them",
                  reply=ProbesOut),
            Route("POST", "/link-probes", Role.TECHNICIAN, self._begin, "Probe a link", body=ProbeOrder,
                  reply=ProbeOut, status=202, errors=(404, 409)),
            Route("GET", "/link-probes/{id}", Role.TECHNICIAN, self._one, "One probe, second by second",
                  reply=ProbeOut, errors=(404,)),
            Route("POST", "/link-probes/{id}/stop", Role.TECHNICIAN, self._stop, "End a probe now", reply=ProbeOut,
                  errors=(404,)),
        ]  # fmt: skip

    async def _all(self, _call: Call) -> ProbesOut:
        desired, now = self._config.desired, self._answering.now
        return ProbesOut(
            port=desired.network.probe_port, listening=self._answering.port is not None,
            answering=AnsweringOut.model_validate(now) if now else None, calls=self._calls(),
            peers=[PeerOut(id=peer.id, name=peer.name, host=peer.host, port=peer.port) for peer in desired.peers],
            probes=[ProbeOut.model_validate(probe) for probe in await self._probes.all()],
        )  # fmt: skip

    async def _begin(self, call: Call) -> ProbeOut:
        order: ProbeOrder = call.body
        steps = tuple(Step(streams, order.seconds) for streams in order.steps)
        probe = await self._probes.begin(Asked(order.peer, steps, order.in_spite_of_calls), call.who.login)
        await self._audit(call.who, "links.probe", order.model_dump(mode="json"))
        return ProbeOut.model_validate(probe)

    async def _one(self, call: Call) -> ProbeOut:
        return ProbeOut.model_validate(await self._probes.one(call.path["id"]))

    async def _stop(self, call: Call) -> ProbeOut:
        return ProbeOut.model_validate(await self._probes.stop(call.path["id"]))
