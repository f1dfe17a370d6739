"""What one field of the telephone lines alone cannot tell. Pure."""

from collections import Counter
from collections.abc import Iterator

from appliance_agent.config.lines import E1Span, FxoPort, LinkSet, Ss7
from appliance_agent.config.model import Desired, ExtensionKind
from appliance_agent.kernel.errors import FieldFault


def check_lines(document: Desired) -> Iterator[FieldFault]:
    yield from _analog_sets(document)
    yield from _seats(document)
    yield from _learned_tones(document.fxo_ports)
    yield from _clocks(document.e1_spans)
    yield from _linksets(document)
    yield from _circuits(document.e1_spans)
    yield from _trunks(document)


def _analog_sets(document: Desired) -> Iterator[FieldFault]:
    taken: dict[str, str] = {}
    for extension in document.extensions:
        path = f"extensions/{extension.number}/analog"
        if extension.analog is None:
            if extension.kind is ExtensionKind.ANALOG:
                yield FieldFault.of(path, "no_port", "an analog set needs the FXS port that it is plugged into")
            continue
        if extension.kind is not ExtensionKind.ANALOG:
            words = "a {kind} extension is at no FXS port; leave this empty"
            yield FieldFault.of(path, "needless_port", words, kind=extension.kind)
        line = extension.analog.line
        if taken.setdefault(line, extension.number) != extension.number:
            words = "{line} is extension {owner}'s; choose another port"
            yield FieldFault.of(f"{path}/line", "taken_port", words, line=line, owner=taken[line])


def _seats(document: Desired) -> Iterator[FieldFault]:
    """Seats are offered calls over SIP; who sits at an analog set would never be rung."""
    sets = {extension.number for extension in document.extensions if extension.kind is ExtensionKind.ANALOG}
    for queue in document.queues:
        for seat in queue.seats:
            if seat in sets:
                yield FieldFault.of(
                    f"queues/{queue.id}/seats/{seat}", "analog_seat",
                    "an analog set takes no calls of queues in this release; seat a browser or a SIP phone here",
                )  # fmt: skip


def _learned_tones(ports: tuple[FxoPort, ...]) -> Iterator[FieldFault]:
    for port in ports:
        if port.busy is not None and port.busy.learned is not None and len(port.busy.learned.cadence_ms) % 2:
            yield FieldFault.of(
                f"fxo_ports/{port.line}/busy/learned/cadence_ms", "odd_cadence",
                "a cadence is tone and silence in turn; it ends with a silence",
            )  # fmt: skip


def _clocks(spans: tuple[E1Span, ...]) -> Iterator[FieldFault]:
    taken: dict[int, str] = {}
    for span in spans:
        if span.clock and taken.setdefault(span.clock, span.line) != span.line:
            yield FieldFault.of(
                f"e1_spans/{span.line}/clock", "same_clock",
                "{other} is clock source {number} too; number them 1, 2, 3 … or give 0 for none",
                other=taken[span.clock], number=span.clock,
            )  # fmt: skip


def _linksets(document: Desired) -> Iterator[FieldFault]:
    known = {linkset.id: linkset for linkset in document.linksets}
    links: dict[str, dict[int, str]] = {}
    for span in document.e1_spans:
        if not isinstance(span.signalling, Ss7):
            continue
        name, path = span.signalling.linkset, f"e1_spans/{span.line}/signalling"
        if name not in known:
            yield _no_linkset(f"{path}/linkset", name, ", ".join(sorted(known)))
        codes = links.setdefault(name, {})
        if (link := span.signalling.link) is not None and codes.setdefault(link, span.line) != span.line:
            words = "{other} carries link {link} of link set {name} already"
            yield FieldFault.of(f"{path}/link", "same_link", words, other=codes[link], link=link, name=name)
    for linkset in document.linksets:
        if linkset.id in links and not links[linkset.id]:
            words = "no span carries a signalling link of it; give one a link code"
            yield FieldFault.of(f"linksets/{linkset.id}", "no_link", words)
        yield from _point_codes(linkset)


def _no_linkset(path: str, name: str, there: str) -> FieldFault:
    if there:
        words = "link set {name!r} does not exist; there is {there}"
        return FieldFault.of(path, "no_linkset_among", words, name=name, there=there)
    return FieldFault.of(path, "no_linkset", "link set {name!r} does not exist; make it first", name=name)


def _point_codes(linkset: LinkSet) -> Iterator[FieldFault]:
    for field in ("adjacent_point_code", "destination_point_code"):
        if getattr(linkset, field) == linkset.own_point_code:
            path, code = f"linksets/{linkset.id}/{field}", linkset.own_point_code
            yield FieldFault.of(path, "own_point_code", "{code} is our own point code", code=code)


def _circuits(spans: tuple[E1Span, ...]) -> Iterator[FieldFault]:
    """Two circuits of one link set cannot have one code. A timeslot that carries a link keeps its place."""
    taken: dict[tuple[str, int], str] = {}
    for span in spans:
        signalling = span.signalling
        if not isinstance(signalling, Ss7):
            continue
        for cic in signalling.cics:
            owner = taken.setdefault((signalling.linkset, cic), span.line)
            if owner != span.line:
                yield FieldFault.of(
                    f"e1_spans/{span.line}/signalling/first_cic", "same_circuit",
                    "{cic} is a circuit of {owner} in link set {linkset} already; this span takes {first}–{last}",
                    cic=cic, owner=owner, linkset=signalling.linkset,
                    first=signalling.cics[0], last=signalling.cics[-1],
                )  # fmt: skip
                break


def _trunks(document: Desired) -> Iterator[FieldFault]:
    sip = {trunk.id for trunk in document.trunks}
    configured = {port.line for port in document.fxo_ports} | {span.line for span in document.e1_spans}
    owners: dict[str, str] = {}
    for trunk in document.line_trunks:
        if trunk.id in sip:
            words = "{id!r} is a SIP trunk already; choose another id"
            yield FieldFault.of(f"line_trunks/{trunk.id}/id", "id_of_trunk", words, id=trunk.id)
        for line, count in Counter(trunk.lines).items():
            path = f"line_trunks/{trunk.id}/lines/{line}"
            if count > 1:
                yield FieldFault.of(path, "twice", "stands here {count} times; keep one", count=count)
            if owners.setdefault(line, trunk.id) != trunk.id:
                words = "line trunk {other!r} has this line too; a line is in one trunk only"
                yield FieldFault.of(path, "line_of_trunk", words, other=owners[line])
            if line not in configured:
                yield FieldFault.of(path, "not_set_up", "{line} is not set up; set up the line first", line=line)
