"""The configuration's and prompts' routes over HTTP, on a box made by the real init and the simulated Asterisk."""

import asyncio
import io
import math
import time
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.configuration.api import ConfigurationApi
from appliance_agent.features.configuration.service import Configuration
from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.features.prompts.api import PromptsApi
from appliance_agent.features.prompts.audio import Espeak, PromptAudio
from appliance_agent.features.prompts.service import Prompts
from appliance_agent.http.route import Identity
from appliance_agent.http.server import application
from appliance_agent.kernel.bus import Bus, Subscription
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.events import JobChanged, VersionApplied
from appliance_agent.kernel.secrets import read_secrets
from appliance_agent.store.database import Database
from appliance_agent.store.sessions import COOKIE
from appliance_agent.system.lines.set_up import LinesSetUp
from contracts.paths import BoxPaths
from hal.boards import SA800
from hal.names_file import NamesFile
from hal.sim.box import SimBox
from tests.unit.sim_asterisk import SimAsterisk
from tests.unit.worlds import prepare

LIMIT_S = 20


class Roles:
    """The cookie is the role: who logs in and how is not this test's matter."""

    async def identify(self, token: str) -> Identity | None:
        return Identity("s", "u", token, token, token, None, "127.0.0.1")


@dataclass
class Panel:
    paths: BoxPaths
    asterisk: SimAsterisk
    holder: ConfigHolder
    configuration: Configuration
    http: TestClient[Any, Any]
    events: Subscription
    audited: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)

    async def ask(self, method: str, path: str, *, role: str = "admin", **more: Any) -> tuple[int, Any]:
        headers = {"Cookie": f"{COOKIE}={role}"} | more.pop("headers", {})
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **more)
        return answer.status, await answer.json() if answer.content_type == "application/json" else await answer.read()

    async def revision(self) -> int:
        status, view = await self.ask("GET", "/config")
        assert status == 200
        return int(view["revision"])

    async def put(self, path: str, item: dict[str, Any]) -> tuple[int, Any]:
        headers = {"If-Match": str(await self.revision())}
        return await self.ask("PUT", f"/config/{path}", json=item, headers=headers)

    async def apply(self, when: str = "now") -> dict[str, Any]:
        """The job at its end."""
        status, job = await self.ask("POST", "/config/apply", json={"revision": await self.revision(), "when": when})
        assert status == 202, job
        return await self.ended(job["id"])

    async def ended(self, job_id: str) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT_S):
            while True:
                event = await self.events.get()
                if isinstance(event, JobChanged) and event.job["state"] in ("done", "failed"):
                    status, job = await self.ask("GET", f"/config/jobs/{job_id}", role="technician")
                    assert status == 200
                    assert job == event.job
                    return dict(job)


@pytest_asyncio.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    paths = await prepare(tmp_path)
    asterisk, bus, holder, database = SimAsterisk(paths), Bus(), ConfigHolder(), Database(paths.database)
    audited: list[tuple[str, str, Mapping[str, object]]] = []

    async def audit(who: Identity, action: str, detail: Mapping[str, object]) -> None:
        audited.append((who.login, action, detail))

    audio = PromptAudio(paths.prompts, Espeak())
    configuration = Configuration(
        paths=paths, box_secrets=read_secrets(paths.secrets), store=ConfigurationStore(database), control=asterisk,
        holder=holder, bus=bus, clock=SystemClock(), audit=audit, prompts_on_disk=audio.on_disk,
        lines=LinesSetUp(SimBox(), SA800, NamesFile(paths.line_names), paths.line_report),
    )  # fmt: skip
    await configuration.load()
    routes = [
        *ConfigurationApi(configuration).routes(),
        *PromptsApi(Prompts(audio, configuration.add_prompt), paths.data).routes(),
    ]
    client = TestClient(TestServer(application(routes, Roles(), None, "0")))
    with bus.subscribe(JobChanged, VersionApplied) as events:
        async with client:
            service = asyncio.create_task(configuration.run())
            yield Panel(paths, asterisk, holder, configuration, client, events, audited)
            service.cancel()
            with suppress(asyncio.CancelledError):
                await service
    await database.close()


BROWSER = {"number": "1050", "name": "新坐席", "kind": "browser"}


async def test_edit_diff_apply_and_what_runs(panel: Panel) -> None:
    assert (await panel.put("extensions/1050", BROWSER))[0] == 200
    _, diff = await panel.ask("GET", "/config/diff", role="technician")
    assert [(change["path"], change["kind"]) for change in diff["changes"]] == [("extensions/1050", "add")]
    assert diff["reloads"] == ["module reload res_pjsip.so", "dialplan reload"]
    assert (diff["calls_that_end"], diff["waits"], diff["faults"]) == (0, False, [])
    assert "+[1050]" in next(file["diff"] for file in diff["files"] if file["path"] == "pjsip.conf")
    job = await panel.apply()
    assert (job["state"], job["version"], job["error"]) == ("done", 2, None)
    async with asyncio.timeout(LIMIT_S):
        assert await panel.events.get() == VersionApplied(2)
    assert panel.holder.version == 2
    assert "1050" in await panel.asterisk.endpoints()
    _, view = await panel.ask("GET", "/config")
    assert (view["running_version"], view["changed"], view["active_job"]) == (2, False, None)
    _, versions = await panel.ask("GET", "/config/versions")
    assert [(one["version"], one["state"], one["by"]) for one in versions] == [
        (2, "running", "admin"), (1, "superseded", "system"),
    ]  # fmt: skip
    assert [action for _, action, _ in panel.audited] == ["config.put", "config.apply"]


async def test_rollback_and_discard(panel: Panel) -> None:
    await panel.put("extensions/1050", BROWSER)
    await panel.apply()
    assert (await panel.ask("POST", "/config/versions/1/rollback"))[0] == 200
    job = await panel.apply()
    assert (job["state"], job["version"]) == ("done", 3)
    assert "1050" not in await panel.asterisk.endpoints()
    await panel.put("extensions/1051", BROWSER | {"number": "1051"})
    assert (await panel.ask("DELETE", "/config/draft"))[0] == 200
    _, view = await panel.ask("GET", "/config")
    assert view["changed"] is False
    for number in ("99", "0", "x", "9" * 40, "-1"):
        assert (await panel.ask("POST", f"/config/versions/{number}/rollback"))[0] == 404


async def test_the_second_of_two_editors_is_told(panel: Panel) -> None:
    revision = await panel.revision()
    headers = {"If-Match": f'"{revision}"'}
    assert (await panel.ask("PUT", "/config/extensions/1050", json=BROWSER, headers=headers))[0] == 200
    status, answer = await panel.ask("PUT", "/config/site", json={"name": "x"}, headers=headers)
    assert (status, answer["error"]["key"]) == (409, "config.revision")
    status, answer = await panel.ask("PUT", "/config/site", json={"name": "x"})
    assert (status, answer["error"]["key"]) == (422, "config.if_match")
    status, answer = await panel.ask("POST", "/config/apply", json={"revision": revision})
    assert (status, answer["error"]["key"]) == (409, "config.revision")


async def test_a_reference_that_leads_nowhere_is_refused_with_its_path(panel: Panel) -> None:
    did = {"number": "12345", "name": "x", "target": {"kind": "queue", "queue": "sale"}}
    status, answer = await panel.put("dids/12345", did)
    assert status == 422
    assert [one["path"] for one in answer["error"]["fields"]] == ["dids/12345/target"]
    assert "sales" in answer["error"]["message"]


async def test_a_new_fault_is_refused_an_old_one_does_not_lock_the_editor_out(panel: Panel) -> None:
    for sound in panel.paths.prompts.glob("*.wav"):
        sound.unlink()
    assert (await panel.put("site", {"name": "分店"}))[0] == 200
    _, view = await panel.ask("GET", "/config")
    assert len(view["faults"]) == 2
    revision = await panel.revision()
    status, answer = await panel.ask("POST", "/config/apply", json={"revision": revision})
    assert status == 422
    assert len(answer["error"]["fields"]) == 2


async def test_what_is_used_cannot_be_deleted(panel: Panel) -> None:
    headers = {"If-Match": str(await panel.revision())}
    status, answer = await panel.ask("DELETE", "/config/queues/service", headers=headers)
    assert status == 409
    assert "menus/main/options/1/target" in [one["path"] for one in answer["error"]["fields"]]
    assert (await panel.ask("DELETE", "/config/queues/none", headers=headers))[0] == 404


async def test_nothing_to_apply(panel: Panel) -> None:
    status, answer = await panel.ask("POST", "/config/apply", json={"revision": await panel.revision()})
    assert (status, answer["error"]["key"]) == (409, "config.unchanged")


async def test_a_port_tells_what_it_ends_waits_and_can_be_cancelled(panel: Panel) -> None:
    panel.asterisk.calls = 3
    await panel.put("network", {"sip_port": 5070})
    _, diff = await panel.ask("GET", "/config/diff")
    assert (diff["calls_that_end"], diff["waits"], diff["reloads"]) == (3, True, ["restart"])
    revision = await panel.revision()
    _, job = await panel.ask("POST", "/config/apply", json={"revision": revision, "when": "idle"})
    async with asyncio.timeout(LIMIT_S):
        while (await panel.events.get()).job["state"] != "waiting":
            pass
    status, answer = await panel.ask("POST", "/config/apply", json={"revision": revision, "when": "now"})
    assert (status, answer["error"]["key"]) == (409, "config.apply_active")
    assert (await panel.ask("DELETE", f"/config/jobs/{job['id']}"))[0] == 200
    ended = await panel.ended(job["id"])
    assert (ended["state"], ended["error"]["key"]) == ("failed", "config.cancelled")
    assert panel.asterisk.restarts == 0
    assert (await panel.ask("GET", "/config/versions"))[1][0]["state"] == "cancelled"
    assert (await panel.ask("DELETE", f"/config/jobs/{job['id']}"))[0] == 409
    assert (await panel.apply("now"))["state"] == "done"
    assert panel.asterisk.restarts == 1


async def test_who_may_what_and_who_sees_secrets(panel: Panel) -> None:
    for role, status in (("agent", 403), ("supervisor", 403), ("technician", 200), ("admin", 200)):
        assert (await panel.ask("GET", "/config", role=role))[0] == status
    headers = {"If-Match": "1"}
    assert (await panel.ask("PUT", "/config/site", role="technician", json={}, headers=headers))[0] == 403
    _, seen = await panel.ask("GET", "/config", role="technician")
    assert {one["secret"] for one in seen["document"]["extensions"]} == {None}
    _, seen = await panel.ask("GET", "/config")
    secret = next(one["secret"] for one in seen["document"]["extensions"] if one["number"] == "1011")
    await panel.put("extensions/1011", {"number": "1011", "name": "x", "kind": "phone", "secret": "new" * 5})
    _, diff = await panel.ask("GET", "/config/diff", role="technician")
    assert secret not in str(diff)
    assert "new" * 5 not in str(diff)


async def test_a_changed_menu_gets_a_new_version_and_the_old_one_stays_for_its_callers(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What comes after the job's end may be late: who was told "done" sees the new version all the same.
    monkeypatch.setattr(panel.configuration._applier, "_tidy", lambda _keep: time.sleep(0.5))
    menu = panel.holder.desired.menus[0].model_dump(mode="json")
    await panel.put("menus/main", menu | {"wait_s": 9})
    await panel.apply()
    assert panel.holder.desired.menus[0].version == 2
    assert {"menu-main-v1", "menu-main-v2"} <= await panel.asterisk.contexts()


def tone(seconds: float, rate: int = 44100, amplitude: int = 2000) -> bytes:
    """A quiet stereo wav, as a microphone gives."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        frame = (int(amplitude * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(seconds * rate)))
        file.writeframes(b"".join(value.to_bytes(2, "little", signed=True) * 2 for value in frame))
    return buffer.getvalue()


def form(data: bytes, name: str = "欢迎", language: str = "zh", filename: str = "a.wav") -> aiohttp.FormData:
    fields = aiohttp.FormData()
    fields.add_field("file", data, filename=filename, content_type="application/octet-stream")
    fields.add_field("name", name)
    fields.add_field("language", language)
    return fields


async def test_an_upload_becomes_a_prompt(panel: Panel) -> None:
    status, prompt = await panel.ask("POST", "/prompts", data=form(tone(1.5), filename="../../etc/passwd"))
    assert status == 201, prompt
    assert prompt["seconds"] == pytest.approx(1.5, abs=0.05)
    status, audio = await panel.ask("GET", f"/prompts/{prompt['id']}/audio", role="technician")
    assert status == 200
    with wave.open(io.BytesIO(audio)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        frames = sound.readframes(sound.getnframes())
    peak = max(abs(int.from_bytes(frames[n : n + 2], "little", signed=True)) for n in range(0, len(frames), 2))
    assert 20 * math.log10(peak / 32768) == pytest.approx(-3, abs=0.3), "level-normalised"
    _, view = await panel.ask("GET", "/config")
    assert prompt["id"] in [one["id"] for one in view["document"]["prompts"]]
    assert not list(panel.paths.data.glob("upload-*"))


async def test_speech_becomes_a_prompt(panel: Panel) -> None:
    order = {"text": "-v $(reboot) 您好；`id`", "language": "zh", "name": "问候"}
    status, prompt = await panel.ask("POST", "/prompts/speech", json=order)
    assert status == 201, prompt
    assert prompt["seconds"] > 0.5
    assert prompt["text"] == order["text"]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "prompt.not_audio"),
        (b"hello, this is text\n" * 100, "prompt.not_audio"),
        (b"#EXTM3U\n/etc/passwd\n", "prompt.not_audio"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt broken", "prompt.not_audio"),
        (b"ID3" + bytes(1000), "prompt.not_audio"),
        (tone(0.0), "prompt.empty"),
        (tone(601.0, rate=2000), "prompt.too_long"),
    ],
    ids=["empty", "text", "play list", "broken wav", "broken mp3", "no length", "too long"],
)
async def test_what_is_no_sound_is_refused_and_leaves_nothing(panel: Panel, data: bytes, key: str) -> None:
    before = sorted(panel.paths.prompts.iterdir())
    status, answer = await panel.ask("POST", "/prompts", data=form(data))
    assert (status, answer["error"]["key"]) == (422, key)
    assert answer["error"]["hint"]
    assert sorted(panel.paths.prompts.iterdir()) == before
    assert not list(panel.paths.data.glob("upload-*"))


async def test_a_form_too_large_or_incomplete_is_refused(panel: Panel) -> None:
    status, answer = await panel.ask("POST", "/prompts", data=form(bytes(21 * 1024 * 1024)))
    assert (status, answer["error"]["key"]) == (413, "request.too_large")
    status, answer = await panel.ask("POST", "/prompts", data=form(tone(0.1), language="fr"))
    assert (status, answer["error"]["fields"][0]["path"]) == (422, "language")
    status, answer = await panel.ask("POST", "/prompts", data=form(tone(0.1), name="x" * 5000))
    assert status == 422
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    status, answer = await panel.ask("POST", "/prompts", data=b"--y\r\nnothing", headers=broken)
    assert status == 422


@pytest.mark.parametrize("name", ["..%2Fbox", "%2e%2e%2fbox.db", "0" * 31, "0" * 32, "A" * 32, "0" * 31 + "%00"])
async def test_a_prompts_name_leads_nowhere_else(panel: Panel, name: str) -> None:
    status, answer = await panel.ask("GET", f"/prompts/{name}/audio")
    assert (status, answer["error"]["key"]) == (404, "prompt.unknown")
