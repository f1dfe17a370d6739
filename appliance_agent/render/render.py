"""Desired state → Asterisk's files. Pure: the same arguments give the same text, byte for byte."""

from dataclasses import dataclass

from appliance_agent.config.model import Desired, ExtensionKind
from appliance_agent.render import (
    access,
    chan_dahdi,
    dialplan,
    journal,
    line_plan,
    lines,
    modules,
    moh,
    pjsip,
    queues,
    static,
)
from appliance_agent.render.door import word
from appliance_agent.render.facts import Facts


def render(desired: Desired, facts: Facts) -> dict[str, str]:
    """File name (in Asterisk's configuration folder) → text.

    Raises door.UnsafeText when the document or the facts hold a value outside its closed alphabet: they were
    built around their validation, which is a bug.
    """
    return {
        "asterisk.conf": static.render_asterisk(facts.paths),
        "modules.conf": modules.render_modules(lines=lines.any_line(desired, facts)),
        "logger.conf": static.render_logger(),
        "cel.conf": journal.render_cel(),
        "cel_custom.conf": journal.render_cel_custom(facts.paths),
        "cdr.conf": static.render_cdr(),
        "http.conf": access.render_http(),
        "ari.conf": access.render_ari(facts),
        "manager.conf": access.render_manager(facts),
        "rtp.conf": static.render_rtp(desired, facts),
        "sorcery.conf": pjsip.render_sorcery(),
        "pjsip.conf": pjsip.render_pjsip(desired, facts),
        "musiconhold.conf": moh.render_moh(desired, facts),
        "queues.conf": queues.render_queues(desired),
        "indications.conf": static.render_indications(),
        "extensions.conf": dialplan.render_dialplan(desired, facts),
        **static.render_empty(),
        **_lines(desired, facts),
    }


def _lines(desired: Desired, facts: Facts) -> dict[str, str]:
    """The plan is there as soon as a line is configured; Asterisk hears only of lines that are there."""
    files = {line_plan.PLAN: line_plan.render_plan(desired)} if line_plan.plans(desired) else {}
    if lines.any_line(desired, facts):
        files[chan_dahdi.FILE] = chan_dahdi.render_chan_dahdi(desired, facts)
        files[line_plan.HANGUP] = line_plan.render_hangup(desired, facts)
        files[line_plan.SYSTEM] = line_plan.render_system(desired, facts)
    return files


@dataclass(frozen=True, slots=True)
class Expected:
    """Names that Asterisk has to know once it runs what was rendered; for the read back."""

    endpoints: frozenset[str]
    queues: frozenset[str]
    contexts: frozenset[str]
    moh_classes: frozenset[str]


def expected(desired: Desired, facts: Facts) -> Expected:
    return Expected(
        endpoints=endpoints_of(desired),
        queues=queues_of(desired),
        contexts=contexts_of(desired, facts),
        moh_classes=frozenset(moh.classes(desired)),
    )


def endpoints_of(desired: Desired) -> frozenset[str]:
    """Of PJSIP: analog sets are none."""
    trunks = (pjsip.trunk_endpoint(trunk.id) for trunk in desired.trunks)
    phones = (extension for extension in desired.extensions if extension.kind is not ExtensionKind.ANALOG)
    return frozenset([*(word(extension.number) for extension in phones), *trunks])


def queues_of(desired: Desired) -> frozenset[str]:
    return frozenset(word(queue.id) for queue in desired.queues)


def contexts_of(desired: Desired, facts: Facts) -> frozenset[str]:
    return frozenset(context.name for context in dialplan.contexts(desired, facts))
