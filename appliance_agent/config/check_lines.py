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
                yield FieldFault(path, "an analog set needs the FXS port that it is plugged into")
            continue
        if extension.kind is not ExtensionKind.ANALOG:
            yield FieldFault(path, f"a {extension.kind} extension is at no FXS port; leave this empty")
        line = extension.analog.line
        if taken.setdefault(line, extension.number) != extension.number:
            yield FieldFault(f"{path}/line", f"{line} is extension {taken[line]}'s; choose another port")


def _seats(document: Desired) -> Iterator[FieldFault]:
    """Seats are offered calls over SIP; who sits at an analog set would never be rung."""
    sets = {extension.number for extension in document.extensions if extension.kind is ExtensionKind.ANALOG}
    for queue in document.queues:
        for seat in queue.seats:
            if seat in sets:
                yield FieldFault(
                    f"queues/{queue.id}/seats/{seat}",
                    "an analog set takes no calls of queues in this release; seat a browser or a SIP phone here",
                )


def _learned_tones(ports: tuple[FxoPort, ...]) -> Iterator[FieldFault]:
    for port in ports:
        if port.busy is not None and port.busy.learned is not None and len(port.busy.learned.cadence_ms) % 2:
            yield FieldFault(
                f"fxo_ports/{port.line}/busy/learned/cadence_ms",
                "a cadence is tone and silence in turn; it ends with a silence",
            )


def _clocks(spans: tuple[E1Span, ...]) -> Iterator[FieldFault]:
    taken: dict[int, str] = {}
    for span in spans:
        if span.clock and taken.setdefault(span.clock, span.line) != span.line:
            yield FieldFault(
                f"e1_spans/{span.line}/clock",
                f"{taken[span.clock]} is clock source {span.clock} too; number them 1, 2, 3 … or give 0 for none",
            )


def _linksets(document: Desired) -> Iterator[FieldFault]:
    known = {linkset.id: linkset for linkset in document.linksets}
    links: dict[str, dict[int, str]] = {}
    for span in document.e1_spans:
        if not isinstance(span.signalling, Ss7):
            continue
        name, path = span.signalling.linkset, f"e1_spans/{span.line}/signalling"
        if name not in known:
            there = f"; there is {', '.join(sorted(known))}" if known else "; make it first"
            yield FieldFault(f"{path}/linkset", f"link set {name!r} does not exist{there}")
        codes = links.setdefault(name, {})
        if (link := span.signalling.link) is not None and codes.setdefault(link, span.line) != span.line:
            yield FieldFault(f"{path}/link", f"{codes[link]} carries link {link} of link set {name} already")
    for linkset in document.linksets:
        if linkset.id in links and not links[linkset.id]:
            yield FieldFault(f"linksets/{linkset.id}", "no span carries a signalling link of it; give one a link code")
        yield from _point_codes(linkset)


def _point_codes(linkset: LinkSet) -> Iterator[FieldFault]:
    for field in ("adjacent_point_code", "destination_point_code"):
        if getattr(linkset, field) == linkset.own_point_code:
            yield FieldFault(f"linksets/{linkset.id}/{field}", f"{linkset.own_point_code} is our own point code")


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
                yield FieldFault(
                    f"e1_spans/{span.line}/signalling/first_cic",
                    f"{cic} is a circuit of {owner} in link set {signalling.linkset} already; "
                    f"this span takes {signalling.cics[0]}–{signalling.cics[-1]}",
                )
                break


def _trunks(document: Desired) -> Iterator[FieldFault]:
    sip = {trunk.id for trunk in document.trunks}
    configured = {port.line for port in document.fxo_ports} | {span.line for span in document.e1_spans}
    owners: dict[str, str] = {}
    for trunk in document.line_trunks:
        if trunk.id in sip:
            yield FieldFault(f"line_trunks/{trunk.id}/id", f"{trunk.id!r} is a SIP trunk already; choose another id")
        for line, count in Counter(trunk.lines).items():
            path = f"line_trunks/{trunk.id}/lines/{line}"
            if count > 1:
                yield FieldFault(path, f"stands here {count} times; keep one")
            if owners.setdefault(line, trunk.id) != trunk.id:
                yield FieldFault(path, f"line trunk {owners[line]!r} has this line too; a line is in one trunk only")
            if line not in configured:
                yield FieldFault(path, f"{line} is not set up; set up the line first")
