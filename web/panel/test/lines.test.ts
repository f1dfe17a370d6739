import type { ConfigDocument, Line, LineTrunk } from '@sa800/sdk';
import { describe, expect, it } from 'vitest';
import { formOf, missing, NEW, plan, SIGNALLINGS, stepsOf, undo } from '@/pages/lines/setup/plan';
import { alarmKey, barOf, slotUses } from '@/pages/lines/words';

function line(id: string, change: Partial<Line> = {}): Line {
  const kind = id.split('-')[0] as Line['kind'];
  return {
    id,
    kind,
    order: 1,
    state: 'not_configured',
    since: '',
    alarms: [],
    label: '',
    signalling: '',
    number: '',
    timeslots: kind === 'e1' ? 31 : 1,
    calls: [],
    blocked: [],
    stuck: [],
    ...change,
  };
}

const trunk = (id: string, lines: string[]): LineTrunk => ({ id, name: id, lines, order: 'ascending' });

function document(change: Partial<ConfigDocument> = {}): ConfigDocument {
  return {
    schema_version: 1,
    site: { name: '', timezone: 'Asia/Shanghai', language: 'zh' },
    network: { sip_port: 5060, rtp_first: 10000, rtp_last: 10999 },
    extensions: [],
    trunks: [],
    e1_spans: [],
    fxo_ports: [],
    linksets: [],
    line_trunks: [],
    outbound: [],
    dids: [],
    prompts: [],
    menus: [],
    queues: [],
    peers: [],
    ...change,
  };
}

describe('the guide', () => {
  it('sets up an outside line with its number, a trunk and a route', () => {
    const empty = document();
    const port = line('fxo-1');
    const form = {
      ...formOf(port, empty),
      name: '外线',
      number: '0755888',
      trunk: NEW,
      trunkName: '市话',
      prefix: '0',
    };
    const writes = plan(port, form, empty);
    expect(writes.map((write) => write.collection)).toEqual(['fxo_ports', 'dids', 'line_trunks', 'outbound']);
    expect(writes[2]?.item).toMatchObject({ id: 'lines1', lines: ['fxo-1'] });
    expect(writes[3]?.item).toEqual({ prefix: '0', trunk: 'lines1' });
  });

  it('leaves a called number alone that is there already', () => {
    const known = document({
      dids: [{ number: '0755888', name: 'x', target: { kind: 'hangup' }, record: 'never' }],
    });
    const port = line('fxo-1');
    const form = { ...formOf(port, known), name: '外线', number: '0755888' };
    expect(plan(port, form, known).map((write) => write.collection)).toEqual(['fxo_ports']);
  });

  it('takes a line out of the trunk it was in before it goes into another', () => {
    const two = document({ line_trunks: [trunk('a', ['e1-1', 'e1-2']), trunk('b', [])] });
    const span = line('e1-1');
    const form = { ...formOf(span, two), name: 'E1', trunk: 'b' };
    expect(formOf(span, two).trunk).toBe('a');
    const writes = plan(span, form, two).filter((write) => write.collection === 'line_trunks');
    expect(writes.map((write) => [write.item.id, write.item.lines])).toEqual([
      ['a', ['e1-2']],
      ['b', ['e1-1']],
    ]);
  });

  it('makes a link set before the span that names it', () => {
    const empty = document();
    const span = line('e1-1');
    const form = {
      ...formOf(span, empty),
      name: 'E1',
      signalling: { ...SIGNALLINGS.ss7 },
      linkset: NEW,
      linksetName: '汇接局',
      carriesLink: false,
    };
    const [linkset, item] = plan(span, form, empty);
    expect(linkset).toMatchObject({ collection: 'linksets', item: { id: '1', name: '汇接局' } });
    expect(item).toMatchObject({ item: { signalling: { kind: 'ss7', linkset: '1', link: null }, clock: 1 } });
  });

  it('makes a telephone set of an extension and keeps what it was', () => {
    const known = document({
      extensions: [{ number: '1011', name: 'old', kind: 'phone', secret: 'x', record: 'never' }],
    });
    const port = line('fxs-1');
    const [write] = plan(port, { ...formOf(port, known), number: '1011', name: '门卫' }, known);
    expect(write?.item).toEqual({
      number: '1011',
      name: '门卫',
      kind: 'analog',
      record: 'never',
      analog: { line: 'fxs-1', audio: { echo: 'oslec', rx_gain_db: 0, tx_gain_db: 0 } },
    });
  });

  it('shows a line as it is set up and never changes the draft itself', () => {
    const span = line('e1-1');
    const known = document({
      e1_spans: [
        {
          line: 'e1-1',
          name: 'E1',
          signalling: { ...SIGNALLINGS.r2, dnis_digits: 4 },
          clock: 2,
          crc4: true,
          audio: { echo: 'off', rx_gain_db: 0, tx_gain_db: 0 },
        },
      ],
    });
    const form = formOf(span, known);
    expect(form).toMatchObject({ name: 'E1', clock: 2, crc4: true });
    if (form.signalling.kind === 'r2') form.signalling.dnis_digits = 9;
    expect(known.e1_spans[0]?.signalling).toMatchObject({ dnis_digits: 4 });
    expect(formOf(line('e1-2'), known).clock).toBe(1);
  });

  it('says what is missing before a step is left', () => {
    const empty = document();
    const port = line('fxo-1');
    const form = formOf(port, empty);
    expect(missing(port, form, 'line')).toBe('common.name');
    expect(missing(port, { ...form, name: 'x' }, 'line')).toBe('common.number');
    expect(missing(port, { ...form, name: 'x', number: '1' }, 'line')).toBe('');
    expect(missing(port, { ...form, trunk: NEW }, 'use')).toBe('lines.setup.trunkName');
    expect(stepsOf(line('fxs-1'))).toEqual(['line', 'review']);
  });

  it('undoes: out of the trunk first, then the line itself', () => {
    const known = document({ line_trunks: [trunk('a', ['e1-1'])] });
    expect(undo(line('e1-1'), known)).toMatchObject({
      writes: [{ collection: 'line_trunks', item: { id: 'a', lines: [] } }],
      removals: [['e1_spans', 'e1-1']],
    });
  });
});

describe('what is shown of a line', () => {
  it('names RED of an outside line by what it means', () => {
    expect(alarmKey('fxo', 'red')).toBe('lines.alarm.noLine');
    expect(alarmKey('e1', 'red')).toBe('lines.alarm.red');
  });

  it('tells each timeslot by what matters most', () => {
    const uses = slotUses(line('e1-1', { signalling: 'pri', calls: [1, 2], blocked: [2, 3], stuck: [4] }));
    expect([1, 2, 3, 4, 5, 16].map((slot) => uses[slot - 1])).toEqual([
      'call',
      'call',
      'blocked',
      'stuck',
      'idle',
      'signalling',
    ]);
    expect(uses).toHaveLength(31);
  });

  it('puts periods on a bar of time', () => {
    const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour)).toISOString();
    const [begin, end] = [Date.parse(at(0)), Date.parse(at(10))];
    expect(barOf(at(2), at(4), begin, end)).toEqual({ left: 20, width: 20 });
    expect(barOf(at(9), null, begin, end)).toEqual({ left: 90, width: 10 });
    const flap = barOf(at(10), at(10), begin, end);
    expect(flap?.width).toBeGreaterThan(0.5);
    expect((flap?.left ?? 0) + (flap?.width ?? 0)).toBeLessThanOrEqual(100);
    const before = new Date(begin - 3_600_000).toISOString();
    expect(barOf(before, new Date(begin - 1000).toISOString(), begin, end)).toBeNull();
    expect(barOf(before, at(5), begin, end)).toEqual({ left: 0, width: 50 });
  });
});
