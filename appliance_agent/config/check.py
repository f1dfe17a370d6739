"""What one field alone cannot tell: references, duplicates, loops, ranges. Pure but for the time zone data base."""

from collections import Counter
from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

from appliance_agent.config.check_lines import check_lines
from appliance_agent.config.model import (
    Desired,
    ExtensionKind,
    ExtensionTarget,
    HangupTarget,
    Menu,
    MenuTarget,
    QueueTarget,
    Target,
)
from appliance_agent.kernel.errors import FieldFault

OWN_PORTS = {5038: "the agent's line to Asterisk", 8088: "Asterisk's own web server"}
"""Ports that Asterisk already listens on inside the box."""

RESERVED_QUEUES = frozenset({"general"})
"""A section of queues.conf that is no queue."""

LEAST_RTP_PORTS = 40
"""Ten calls between two parties: each party takes two ports."""


def check(document: Desired, prompts_on_disk: Collection[str]) -> list[FieldFault]:
    """Every fault of the document, with its path; empty when it may be applied. `prompts_on_disk`: ids with audio."""
    return [
        *_duplicates(document),
        *_site(document),
        *_network(document),
        *_extensions(document),
        *_trunks(document),
        *check_lines(document),
        *_outbound(document),
        *_peers(document),
        *_references(document),
        *_sounds(document, prompts_on_disk),
        *_loops(document),
    ]


def targets(document: Desired) -> Iterator[tuple[str, Target]]:
    """Every target of the document with its path."""
    for did in document.dids:
        yield f"dids/{did.number}/target", did.target
    for menu in document.menus:
        for option in menu.options:
            yield f"menus/{menu.id}/options/{option.digit}/target", option.target
        yield f"menus/{menu.id}/otherwise", menu.otherwise
    for queue in document.queues:
        yield f"queues/{queue.id}/otherwise", queue.otherwise


def prompt_references(document: Desired) -> Iterator[tuple[str, str]]:
    """Every use of a prompt: (path, prompt id)."""
    for menu in document.menus:
        for index, prompt in enumerate(menu.prompts):
            yield f"menus/{menu.id}/prompts/{index}", prompt
        if menu.invalid_prompt is not None:
            yield f"menus/{menu.id}/invalid_prompt", menu.invalid_prompt
    for queue in document.queues:
        if queue.music is not None:
            yield f"queues/{queue.id}/music", queue.music


def _duplicates(document: Desired) -> Iterator[FieldFault]:
    ids = {
        "extensions": [extension.number for extension in document.extensions],
        "trunks": [trunk.id for trunk in document.trunks],
        "e1_spans": [span.line for span in document.e1_spans],
        "fxo_ports": [port.line for port in document.fxo_ports],
        "linksets": [linkset.id for linkset in document.linksets],
        "line_trunks": [trunk.id for trunk in document.line_trunks],
        "outbound": [route.prefix for route in document.outbound],
        "dids": [did.number.lstrip("+") for did in document.dids],
        "prompts": [prompt.id for prompt in document.prompts],
        "menus": [menu.id for menu in document.menus],
        "queues": [queue.id for queue in document.queues],
        "peers": [peer.id for peer in document.peers],
    }
    ids |= {f"menus/{menu.id}/options": [option.digit for option in menu.options] for menu in document.menus}
    ids |= {f"queues/{queue.id}/seats": list(queue.seats) for queue in document.queues}
    for collection, names in ids.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield FieldFault.of(f"{collection}/{name}", "twice", "stands here {count} times; keep one", count=count)


def _site(document: Desired) -> Iterator[FieldFault]:
    zone = document.site.timezone
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        # ValueError: absolute paths and ".."; OSError: a folder such as "Asia".
        yield FieldFault.of(
            "site/timezone", "no_time_zone", "{zone!r} is not a time zone; write one such as Asia/Shanghai", zone=zone
        )


def _network(document: Desired) -> Iterator[FieldFault]:
    network = document.network
    if network.rtp_last - network.rtp_first + 1 < LEAST_RTP_PORTS:
        yield FieldFault.of(
            "network/rtp_last", "few_ports", "{first}–{last} holds too few ports for audio; give at least {least}",
            first=network.rtp_first, last=network.rtp_last, least=LEAST_RTP_PORTS,
        )  # fmt: skip
    if network.rtp_first <= network.sip_port <= network.rtp_last:
        yield FieldFault.of(
            "network/sip_port", "port_of_audio", "{port} lies in the audio's {first}–{last}",
            port=network.sip_port, first=network.rtp_first, last=network.rtp_last,
        )  # fmt: skip
    if network.sip_port in OWN_PORTS:
        yield FieldFault.of(
            "network/sip_port", "own_port", "{port} is {owner}; choose another",
            port=network.sip_port, owner=OWN_PORTS[network.sip_port],
        )  # fmt: skip


def _extensions(document: Desired) -> Iterator[FieldFault]:
    for extension in document.extensions:
        path = f"extensions/{extension.number}/secret"
        if extension.kind is ExtensionKind.PHONE and extension.secret is None:
            yield FieldFault.of(path, "phone_secret", "a SIP phone needs a secret")
        if extension.kind is ExtensionKind.BROWSER and extension.secret is not None:
            words = "a browser gets a new secret at each log-in; leave this empty"
            yield FieldFault.of(path, "browser_secret", words)
        if extension.kind is ExtensionKind.ANALOG and extension.secret is not None:
            yield FieldFault.of(path, "analog_secret", "an analog set has no secret; leave this empty")


def _trunks(document: Desired) -> Iterator[FieldFault]:
    seen: dict[tuple[str, int], str] = {}
    for trunk in document.trunks:
        address = (trunk.host.lower(), trunk.port)
        if address in seen and seen[address] != trunk.id:
            yield FieldFault.of(
                f"trunks/{trunk.id}/host", "same_host",
                "trunk {other!r} has {host}:{port} too; calls from there could be either's",
                other=seen[address], host=trunk.host, port=trunk.port,
            )  # fmt: skip
        seen.setdefault(address, trunk.id)
        if trunk.register_with:
            for field in ("username", "secret"):
                if getattr(trunk, field) is None:
                    path = f"trunks/{trunk.id}/{field}"
                    yield FieldFault.of(path, "to_register", "needed to register at the provider")
        if trunk.secret is not None and trunk.username is None:
            path = f"trunks/{trunk.id}/username"
            yield FieldFault.of(path, "secret_alone", "a secret needs a user name beside it")
        if len(set(trunk.codecs)) != len(trunk.codecs) or not trunk.codecs:
            yield FieldFault.of(f"trunks/{trunk.id}/codecs", "codecs", "name at least one codec, each once")


def _outbound(document: Desired) -> Iterator[FieldFault]:
    by_lines = {trunk.id: trunk for trunk in document.line_trunks}
    trunks = {trunk.id for trunk in document.trunks} | by_lines.keys()
    for route in document.outbound:
        path = f"outbound/{route.prefix}/trunk"
        if route.trunk not in trunks:
            yield _missing(path, "no_trunk", "trunk {name!r} does not exist", route.trunk, trunks)
        elif route.trunk in by_lines and not by_lines[route.trunk].lines:
            words = "line trunk {trunk!r} has no line; add one"
            yield FieldFault.of(path, "empty_trunk", words, trunk=route.trunk)
        taken = sorted(item.number for item in document.extensions if item.number.startswith(route.prefix))
        if taken:
            yield FieldFault.of(
                f"outbound/{route.prefix}/prefix", "prefix_of_extension",
                "extension {extension} begins with {prefix} too: nobody could tell the two apart",
                extension=taken[0], prefix=route.prefix,
            )  # fmt: skip


def _peers(document: Desired) -> Iterator[FieldFault]:
    seen: dict[str, str] = {}
    for peer in document.peers:
        path = f"peers/{peer.id}/secret"
        if peer.secret is None:
            yield FieldFault.of(path, "peer_secret", "a peer needs a secret, the same that we have at it")
        elif seen.setdefault(peer.secret, peer.id) != peer.id:
            words = "peer {other!r} has this secret too: nobody could tell which of them asks"
            yield FieldFault.of(path, "same_secret", words, other=seen[peer.secret])


def _references(document: Desired) -> Iterator[FieldFault]:
    menus = {menu.id for menu in document.menus}
    queues = {queue.id for queue in document.queues}
    extensions = {extension.number for extension in document.extensions}
    for path, target in targets(document):
        match target:
            case MenuTarget(menu=name) if name not in menus:
                yield _missing(path, "no_menu", "menu {name!r} does not exist", name, menus)
            case QueueTarget(queue=name) if name not in queues:
                yield _missing(path, "no_queue", "queue {name!r} does not exist", name, queues)
            case ExtensionTarget(extension=name) if name not in extensions:
                yield _missing(path, "no_extension", "extension {name!r} does not exist", name, extensions)
            case MenuTarget() | QueueTarget() | ExtensionTarget() | HangupTarget():
                pass
    for queue in document.queues:
        if queue.id in RESERVED_QUEUES:
            words = "{id!r} means something else to Asterisk; choose another"
            yield FieldFault.of(f"queues/{queue.id}/id", "reserved", words, id=queue.id)
        for seat in queue.seats:
            if seat not in extensions:
                path = f"queues/{queue.id}/seats/{seat}"
                yield _missing(path, "no_extension", "extension {name!r} does not exist", seat, extensions)


def _sounds(document: Desired, on_disk: Collection[str]) -> Iterator[FieldFault]:
    prompts = {prompt.id for prompt in document.prompts}
    for path, prompt in prompt_references(document):
        if prompt not in prompts:
            yield _missing(path, "no_prompt", "prompt {name!r} does not exist", prompt, set())
    for item in document.prompts:
        if item.id not in on_disk:
            words = "the audio of {name!r} is missing; upload it again"
            yield FieldFault.of(f"prompts/{item.id}", "no_audio", words, name=item.name)


def _loops(document: Desired) -> Iterator[FieldFault]:
    """Places that a caller could never leave. Menus may call each other as long as some choice leads out."""
    inner = {menu.id: _next_menus(menu) for menu in document.menus}
    leaving = {name for name, nexts in inner.items() if None in nexts}
    while True:
        more = {name for name, nexts in inner.items() if name not in leaving and nexts & leaving}
        if not more:
            break
        leaving |= more
    for menu in document.menus:
        if menu.id not in leaving:
            words = "no choice leads out of this menu; add a queue or hang-up"
            yield FieldFault.of(f"menus/{menu.id}/options", "no_way_out", words)
    silent = {menu.id: menu.otherwise.menu for menu in document.menus if isinstance(menu.otherwise, MenuTarget)}
    for name in _on_cycles(silent) & leaving:
        words = "a caller who presses nothing would go round for ever"
        yield FieldFault.of(f"menus/{name}/otherwise", "silent_loop", words)
    full = {queue.id: queue.otherwise.queue for queue in document.queues if isinstance(queue.otherwise, QueueTarget)}
    for name in _on_cycles(full):
        words = "with nobody logged in, callers would go round for ever"
        yield FieldFault.of(f"queues/{name}/otherwise", "queue_loop", words)


def _next_menus(menu: Menu) -> set[str | None]:
    """Menus that this one leads to; None = somewhere that is no menu."""
    leads = [option.target for option in menu.options] + [menu.otherwise]
    return {target.menu if isinstance(target, MenuTarget) else None for target in leads}


def _on_cycles(edges: dict[str, str]) -> set[str]:
    """Nodes that come back to themselves; each has one way on."""
    found = set()
    for start, first in edges.items():
        node: str | None = first
        for _ in edges:
            if node is None or node == start:
                break
            node = edges.get(node)
        if node == start:
            found.add(start)
    return found


def _missing(path: str, key: str, words: str, name: str, there: set[str]) -> FieldFault:
    """A name that leads nowhere. `key` with "_among": the words tell which names there are."""
    if not there:
        return FieldFault.of(path, key, words, name=name)
    among = ", ".join(sorted(there)[:5])
    return FieldFault.of(path, f"{key}_among", words + "; there is {there}", name=name, there=among)
