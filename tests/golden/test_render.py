"""What is rendered, byte for byte. `make golden` rewrites the files; the diff is the review."""

import os
import shutil
from dataclasses import replace

import pytest

from appliance_agent.render.render import render
from tests.golden import cases


@pytest.mark.parametrize("case", cases.NAMES)
def test_golden(case: str) -> None:
    files = render(cases.desired(case), cases.facts(case))
    folder = cases.HERE / case / "files"
    if os.environ.get("GOLDEN") == "write":
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    golden = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert files.keys() == golden.keys()
    for name, text in files.items():
        assert text == golden[name], f"{case}/files/{name} differs; `make golden` when the change is meant"


def test_there_are_cases() -> None:
    assert len(cases.NAMES) >= 4


def test_the_same_arguments_give_the_same_text() -> None:
    assert render(cases.desired("full"), cases.facts("full")) == render(cases.desired("full"), cases.facts("full"))


def test_the_address_of_box_toml_is_announced_where_the_document_has_none() -> None:
    says, facts = cases.desired("announced"), cases.facts("announced")
    silent = says.model_copy(update={"network": says.network.model_copy(update={"announced_address": None})})
    assert says.network.announced_address is not None
    golden = render(says, facts)
    assert render(silent, replace(facts, announced=says.network.announced_address)) == golden
    assert render(says, replace(facts, announced="192.0.2.99")) == golden, "the administrator's word comes first"
    assert "external" not in render(silent, facts)["pjsip.conf"]
