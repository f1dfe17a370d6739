"""The whole API of a real box under schemathesis: no 5xx, no answer that the OpenAPI document does not tell.

Two runs: one with the administrator's session over everything but what would end that session or change the
telephone under the others; one over users alone, whose session may end in the middle.
`SOAK=1` (make soak) tries twenty times as much by the same code.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.box.api import PASSWORD, Api, person
from tests.box.office import ADMIN, make_admin
from tests.lab.fixtures import *  # noqa: F403
from tests.lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

EXAMPLES = 100 if os.environ.get("SOAK") else 5
LIMIT_S = 3000 if os.environ.get("SOAK") else 600
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "negative_data_rejection", "unsupported_method", "allow_header_conformance", "ignored_auth",
)  # fmt: skip
ENDS_THE_SESSION = ("delete_session", "put_users_id", "delete_users_id")
CHANGES_THE_TELEPHONE = ("post_config_apply",)
"""Tried with real documents in test_apply.py; a random one would end calls and registrations of this very test."""


def fuzz(url: str, token: str, folder: Path, *chosen: str) -> None:
    folder.mkdir()
    settings = folder / "schemathesis.toml"
    settings.write_text(f'[auth.openapi.session]\napi_key = "{token}"\n')
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        str(program), "--config-file", str(settings), "run", f"{url}/api/openapi.json", "--checks", ",".join(CHECKS),
        "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", os.environ.get("SEED", "800"),
        "--continue-on-failure", "--no-color", "--request-timeout", "60", "--warnings", "off", *chosen,
    ]  # fmt: skip
    environment = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    print(done.stdout[-2000:])
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]


def token_of(api: Api) -> str:
    return next(cookie.value for cookie in api.http.cookie_jar if cookie.key == "sa800_session")


async def test_the_whole_api(lab: Lab, tmp_path: Path) -> None:
    box = lab.box()
    await make_admin(box)
    async with person(box.panel_url, ADMIN) as admin:
        excluded = [
            part for name in ENDS_THE_SESSION + CHANGES_THE_TELEPHONE for part in ("--exclude-operation-id", name)
        ]
        fuzz(box.panel_url, token_of(admin), tmp_path / "all", *excluded)
        assert (await admin.get("/session"))["user"]["login"] == ADMIN, "the session outlived it all"
        assert (await admin.get("/status"))["asterisk"] == "up"


async def test_users_whose_session_may_end(lab: Lab, tmp_path: Path) -> None:
    box = lab.box()
    await make_admin(box)
    async with person(box.panel_url, ADMIN) as admin:
        fuzzer = {"login": "fuzzer", "password": PASSWORD, "name": "fuzzer", "role": "admin"}
        await admin.post("/users", fuzzer)
        async with person(box.panel_url, "fuzzer") as other:
            chosen = [part for name in ENDS_THE_SESSION for part in ("--include-operation-id", name)]
            fuzz(box.panel_url, token_of(other), tmp_path / "users", *chosen)
