import type {
  CallerIdKind,
  CollectionName,
  Collections,
  ConfigDocument,
  E1Span,
  FxoPort,
  Line,
  LineAudio,
  LinkSet,
  Signalling,
  Target,
} from '@sa800/sdk';
import { freeId } from '@/util/ids';

/** One item of the configuration that the guide writes. */
export type Write = { [K in CollectionName]: { collection: K; item: Collections[K] } }[CollectionName];

export const NEW = '+';
const ANALOG_AUDIO: LineAudio = { echo: 'oslec', rx_gain_db: 0, tx_gain_db: 0 };
const E1_AUDIO: LineAudio = { echo: 'off', rx_gain_db: 0, tx_gain_db: 0 };

/** What a person fills in; one form for all kinds of line, of which each uses its part. */
export interface SetupForm {
  name: string;
  number: string;
  callerId: CallerIdKind;
  busy: boolean;
  polarityHangup: boolean;
  polarityAnswer: boolean;
  target: Target;
  signalling: Signalling;
  /** '' = none yet, NEW = `linksetName` and codes. */
  linkset: string;
  linksetName: string;
  ownCode: number;
  farCode: number;
  carriesLink: boolean;
  clock: number;
  crc4: boolean;
  /** '' = not for outgoing calls, NEW = `trunkName`. */
  trunk: string;
  trunkName: string;
  prefix: string;
}

export const SIGNALLINGS: { [K in Signalling['kind']]: Extract<Signalling, { kind: K }> } = {
  pri: {
    kind: 'pri',
    side: 'user',
    switch: 'euroisdn',
    called_type: 'unknown',
    calling_type: 'unknown',
    overlap: false,
  },
  r2: { kind: 'r2', dnis_digits: 8, ani_digits: 20, category: 'national_subscriber' },
  ss7: { kind: 'ss7', linkset: '', first_cic: 1, link: 0 },
};

/** The form as the draft has the line already, or with what is usual. */
export function formOf(line: Line, document: ConfigDocument): SetupForm {
  const fxo = document.fxo_ports.find((item) => item.line === line.id);
  const e1 = document.e1_spans.find((item) => item.line === line.id);
  const set = document.extensions.find((item) => item.analog?.line === line.id);
  const trunk = document.line_trunks.find((item) => item.lines.includes(line.id));
  const signalling = structuredCloneOf(e1?.signalling ?? SIGNALLINGS.pri);
  return {
    name: fxo?.name ?? e1?.name ?? set?.name ?? '',
    number: fxo?.number ?? set?.number ?? '',
    callerId: fxo?.caller_id ?? 'fsk',
    busy: fxo ? Boolean(fxo.busy) : true,
    polarityHangup: fxo?.polarity_hangup ?? false,
    polarityAnswer: fxo?.polarity_answer ?? false,
    target: document.dids.find((did) => did.number === fxo?.number)?.target ?? firstTarget(document),
    signalling,
    linkset: signalling.kind === 'ss7' ? signalling.linkset : (document.linksets[0]?.id ?? NEW),
    linksetName: '',
    ownCode: 1,
    farCode: 2,
    carriesLink: signalling.kind === 'ss7' ? signalling.link !== null : true,
    clock: e1?.clock ?? freeClock(document),
    crc4: e1?.crc4 ?? false,
    trunk: trunk?.id ?? '',
    trunkName: '',
    prefix: '',
  };
}

/** A copy: forms never change what the store holds. */
function structuredCloneOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function firstTarget(document: ConfigDocument): Target {
  const menu = document.menus[0];
  const queue = document.queues[0];
  if (menu) return { kind: 'menu', menu: menu.id };
  return queue ? { kind: 'queue', queue: queue.id } : { kind: 'hangup' };
}

/** The first place in the order of clocks that no span has. */
function freeClock(document: ConfigDocument): number {
  for (let clock = 1; clock <= 12; clock += 1)
    if (!document.e1_spans.some((span) => span.clock === clock)) return clock;
  return 0;
}

/** Everything that must be written so that the line is as the form says, in an order in which nothing refers to
    what is not there yet. */
export function plan(line: Line, form: SetupForm, document: ConfigDocument): Write[] {
  if (line.kind === 'fxs') return [setWrite(line, form, document)];
  const own = line.kind === 'fxo' ? fxoWrites(line, form, document) : e1Writes(line, form, document);
  return [...own, ...trunkWrites(line, form, document)];
}

function setWrite(line: Line, form: SetupForm, document: ConfigDocument): Write {
  const known = document.extensions.find((item) => item.number === form.number);
  const { secret: _, ...rest } = known ?? { number: form.number, record: 'always' as const };
  const audio = known?.analog?.audio ?? ANALOG_AUDIO;
  return {
    collection: 'extensions',
    item: { ...rest, name: form.name, kind: 'analog', analog: { line: line.id, audio } },
  };
}

function fxoWrites(line: Line, form: SetupForm, document: ConfigDocument): Write[] {
  const before = document.fxo_ports.find((item) => item.line === line.id);
  const item: FxoPort = {
    line: line.id,
    name: form.name,
    number: form.number,
    caller_id: form.callerId,
    busy: form.busy ? (before?.busy ?? { learned: null }) : null,
    polarity_hangup: form.polarityHangup,
    polarity_answer: form.polarityAnswer,
    audio: before?.audio ?? ANALOG_AUDIO,
  };
  const writes: Write[] = [{ collection: 'fxo_ports', item }];
  if (!knownDid(form.number, document))
    writes.push({
      collection: 'dids',
      item: { number: form.number, name: form.name, target: form.target, record: 'always' },
    });
  return writes;
}

export function knownDid(number: string, document: ConfigDocument): boolean {
  return document.dids.some((did) => did.number === number);
}

function e1Writes(line: Line, form: SetupForm, document: ConfigDocument): Write[] {
  const before = document.e1_spans.find((item) => item.line === line.id);
  const writes: Write[] = [];
  let signalling = form.signalling;
  if (signalling.kind === 'ss7') {
    let linkset = form.linkset;
    if (linkset === NEW) {
      const made = newLinkset(form, document);
      linkset = made.id;
      writes.push({ collection: 'linksets', item: made });
    }
    signalling = { ...signalling, linkset, link: form.carriesLink ? (signalling.link ?? 0) : null };
  }
  const item: E1Span = {
    line: line.id,
    name: form.name,
    signalling,
    clock: form.clock,
    crc4: form.crc4,
    audio: before?.audio ?? E1_AUDIO,
  };
  writes.push({ collection: 'e1_spans', item });
  return writes;
}

function newLinkset(form: SetupForm, document: ConfigDocument): LinkSet {
  const taken = document.linksets.map((item) => item.id);
  return {
    id: freeId('', taken),
    name: form.linksetName,
    own_point_code: form.ownCode,
    adjacent_point_code: form.farCode,
    destination_point_code: null,
    network: 'national',
    called_type: 'unknown',
    calling_type: 'unknown',
  };
}

function trunkWrites(line: Line, form: SetupForm, document: ConfigDocument): Write[] {
  const writes: Write[] = [];
  // A line is in one trunk: it leaves the one it was in first.
  for (const trunk of document.line_trunks)
    if (trunk.lines.includes(line.id) && trunk.id !== form.trunk)
      writes.push({
        collection: 'line_trunks',
        item: { ...trunk, lines: trunk.lines.filter((name) => name !== line.id) },
      });
  const known = document.line_trunks.find((trunk) => trunk.id === form.trunk);
  let id = form.trunk;
  if (form.trunk === NEW) {
    id = freeId(
      'lines',
      [...document.trunks, ...document.line_trunks].map((trunk) => trunk.id),
    );
    writes.push({
      collection: 'line_trunks',
      item: { id, name: form.trunkName, lines: [line.id], order: 'ascending', caller_number: null },
    });
  } else if (known && !known.lines.includes(line.id)) {
    writes.push({ collection: 'line_trunks', item: { ...known, lines: [...known.lines, line.id] } });
  }
  if (id && form.prefix && !document.outbound.some((route) => route.prefix === form.prefix))
    writes.push({ collection: 'outbound', item: { prefix: form.prefix, trunk: id } });
  return writes;
}

/** What must be written and removed so that nothing wants the line any more: (writes first, then removals). */
export function undo(line: Line, document: ConfigDocument): { writes: Write[]; removals: [CollectionName, string][] } {
  const writes: Write[] = document.line_trunks
    .filter((trunk) => trunk.lines.includes(line.id))
    .map((trunk) => ({
      collection: 'line_trunks',
      item: { ...trunk, lines: trunk.lines.filter((name) => name !== line.id) },
    }));
  const set = document.extensions.find((item) => item.analog?.line === line.id);
  if (set) return { writes, removals: [['extensions', set.number]] };
  return { writes, removals: [[line.kind === 'fxo' ? 'fxo_ports' : 'e1_spans', line.id]] };
}

/** Key of the first thing that is still missing in a step; '' when one may go on. */
export function missing(line: Line, form: SetupForm, step: string): string {
  if (step === 'line') {
    if (!form.name.trim()) return 'common.name';
    if (line.kind !== 'e1' && !form.number.trim()) return 'common.number';
  }
  if (step === 'signalling' && form.signalling.kind === 'ss7' && form.linkset === NEW && !form.linksetName.trim())
    return 'lines.setup.linksetName';
  if (step === 'use' && form.trunk === NEW && !form.trunkName.trim()) return 'lines.setup.trunkName';
  return '';
}

export function stepsOf(line: Line): string[] {
  return {
    fxo: ['line', 'exchange', 'use', 'review'],
    e1: ['line', 'signalling', 'use', 'review'],
    fxs: ['line', 'review'],
  }[line.kind];
}
