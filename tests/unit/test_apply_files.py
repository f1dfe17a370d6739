"""Staged versions on the disk, which reload a change needs, and what Asterisk's log says about it."""

from pathlib import Path

import pytest

from appliance_agent.config.sample import sample_document, sample_prompts
from appliance_agent.render.apply_log import AsteriskLog, refusals
from appliance_agent.render.apply_reloads import EVERYTHING, RELOADS, plan_reloads
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.facts import Facts
from appliance_agent.render.render import render
from contracts.paths import BoxPaths

GOOD = sample_document("192.0.2.1", sample_prompts(), lambda: "a" * 24)
FILES = render(GOOD, Facts(BoxPaths(), "ami", "ari"))


@pytest.fixture
def versions(tmp_path: Path) -> RenderedVersions:
    paths = BoxPaths(tmp_path)
    paths.asterisk_versions.mkdir(parents=True)
    return RenderedVersions(paths)


def test_stage_and_swap(versions: RenderedVersions, tmp_path: Path) -> None:
    assert versions.current() is None
    versions.stage(1, {"a.conf": "一", "pjsip.d/b.conf": "2"})
    assert versions.current() is None
    versions.swap(1)
    assert versions.current() == 1
    current = BoxPaths(tmp_path).asterisk_current
    assert (current / "a.conf").read_text() == "一"
    assert (current / "a.conf").stat().st_mode & 0o777 == 0o640
    assert versions.read(1) == {"a.conf": "一", "pjsip.d/b.conf": "2"}
    assert not current.readlink().is_absolute(), "the data partition may be mounted elsewhere"


def test_the_running_version_is_never_written_again(versions: RenderedVersions) -> None:
    versions.stage(1, {"a.conf": "1"})
    versions.stage(1, {"a.conf": "2"})
    versions.swap(1)
    with pytest.raises(ValueError, match="runs"):
        versions.stage(1, {"a.conf": "3"})
    assert versions.read(1) == {"a.conf": "2"}


def test_what_is_not_staged_cannot_run(versions: RenderedVersions, tmp_path: Path) -> None:
    (BoxPaths(tmp_path).asterisk_versions / "2.part").mkdir()
    with pytest.raises(FileNotFoundError):
        versions.swap(2)


@pytest.mark.parametrize("name", ["../a.conf", "/etc/passwd", "a/b/c.conf", ".hidden", "a.conf\n", "A.conf", ""])
def test_names_that_are_not_ours_are_not_written(versions: RenderedVersions, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        versions.stage(1, {name: "x"})
    assert not versions.staged(1)


def test_prune_leaves_what_is_needed(versions: RenderedVersions, tmp_path: Path) -> None:
    for number in range(1, 15):
        versions.stage(number, {"a.conf": str(number)})
    versions.swap(2)
    folder = BoxPaths(tmp_path).asterisk_versions
    (folder / "15.part").mkdir()
    versions.prune({3})
    assert {entry.name for entry in folder.iterdir()} == {str(n) for n in (2, 3, *range(5, 15))}


def changed(**files: str) -> dict[str, str]:
    return FILES | {name.replace("_conf", ".conf"): text for name, text in files.items()}


@pytest.mark.parametrize(
    ("after", "commands"),
    [
        (FILES, ()),
        (changed(extensions_conf="x"), ("dialplan reload",)),
        (changed(queues_conf="x"), ("queue reload parameters",)),
        (changed(musiconhold_conf="x"), ("moh reload",)),
        (changed(rtp_conf="x"), ("module reload res_rtp_asterisk.so",)),
        (changed(pjsip_conf=FILES["pjsip.conf"] + "\n[1099]\ntype = endpoint\n"), ("module reload res_pjsip.so",)),
        (changed(pjsip_conf="; only a comment moved\n" + FILES["pjsip.conf"]), ("module reload res_pjsip.so",)),
        (changed(pjsip_conf=FILES["pjsip.conf"] + "[a]\ntype=aor\n", queues_conf="x", extensions_conf="x"),
         ("module reload res_pjsip.so", "queue reload parameters", "dialplan reload")),
    ],
)  # fmt: skip
def test_only_what_changed_is_reloaded(after: dict[str, str], commands: tuple[str, ...]) -> None:
    plan = plan_reloads(FILES, after)
    assert (plan.commands, plan.restart) == (commands, False)


@pytest.mark.parametrize("name", sorted(FILES.keys() - RELOADS.keys()))
def test_any_other_file_is_read_at_start_only(name: str) -> None:
    plan = plan_reloads(FILES, FILES | {name: "x"})
    assert (plan.restart, plan.because, plan.commands) == (True, (name,), ())


def test_a_transport_is_read_at_start_only() -> None:
    after = changed(pjsip_conf=FILES["pjsip.conf"].replace("0.0.0.0:5060", "0.0.0.0:5070"))
    plan = plan_reloads(FILES, after)
    assert plan.restart
    assert plan.because == ("pjsip.conf [transport-tcp]", "pjsip.conf [transport-udp]")


def test_never_a_full_reload() -> None:
    assert not {"core reload", "module reload"} & set(EVERYTHING.commands)


STAMP = "[Nov 22 21:35:44]"
REFUSED = f"{STAMP} ERROR[31] res_sorcery_config.c: Could not create an object of type '%s' with id '%s' from"
LOG = f"""\
{STAMP} ERROR[31] netsock2.c: getaddrinfo("no.such.host.example", "(null)", ...): Temporary failure
{REFUSED % ("identify", "trunk-exchange")} configuration file 'pjsip.conf'
{STAMP} NOTICE[31] res_sorcery_config.c: Retaining existing configuration for object of type 'identify' with id 'x'
{REFUSED % ("auth", "1011-auth")} configuration file 'pjsip.conf'
{REFUSED % ("transport", "transport-tcp")} configuration file 'pjsip.conf'
{STAMP} WARNING[70] pbx_config.c: No closing parenthesis found? 'NoSuchApp(x' at line LINE of extensions.conf
{STAMP} WARNING[71] res_pjsip_registrar.c: AOR '' not found for endpoint '1001'
"""
"""Lines as Asterisk 22.10.1 wrote them."""


def test_the_log_leads_to_the_fields() -> None:
    number = FILES["extensions.conf"].splitlines().index("[queue-sales]") + 2
    faults = refusals(LOG.replace("LINE", str(number)), GOOD, FILES)
    assert [fault.path for fault in faults] == [
        "trunks/exchange/host", "extensions/1011", "network/sip_port", "queues/sales",
    ]  # fmt: skip


def test_a_quiet_log_refuses_nothing() -> None:
    assert refusals(LOG.splitlines()[-1], GOOD, FILES) == []


def test_the_log_is_read_from_the_mark_and_anew_when_rotated(tmp_path: Path) -> None:
    log = AsteriskLog(tmp_path / "messages.log")
    assert (log.end(), log.since(0)) == (0, "")
    (tmp_path / "messages.log").write_text("old\n")
    mark = log.end()
    with (tmp_path / "messages.log").open("a") as file:
        file.write("new\n")
    assert log.since(mark) == "new\n"
    (tmp_path / "messages.log").write_text("r\n")
    assert log.since(mark) == "r\n"
