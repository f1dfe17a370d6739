import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EventHandlers, EventStream, type LiveState, retryDelay, type SocketLike } from '../src/index.js';
import { call, SNAPSHOT } from './fixtures.js';

class FakeSocket implements SocketLike {
  static all: FakeSocket[] = [];
  readyState = 0;
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;
  sent: string[] = [];
  closed = false;

  constructor() {
    FakeSocket.all.push(this);
  }
  send(data: string) {
    this.sent.push(data);
  }
  close() {
    this.closed = true;
  }
  open() {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }
  say(message: unknown) {
    this.onmessage?.(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
  die() {
    this.onclose?.(new Event('close') as CloseEvent);
  }
}

function last(): FakeSocket {
  const socket = FakeSocket.all.at(-1);
  if (!socket) throw new Error('no socket was opened');
  return socket;
}

function started(handlers: EventHandlers): EventStream {
  const stream = new EventStream(handlers, { url: 'ws://box.test', socket: () => new FakeSocket(), random: () => 0.5 });
  stream.start();
  return stream;
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('event stream', () => {
  it('folds changes over the snapshot', () => {
    const states: LiveState[] = [];
    started({ live: (state) => states.push(state) });
    last().open();
    last().say({ type: 'snapshot', ...SNAPSHOT });
    last().say({ type: 'change', set: { calls: [call('c2', 'queue')] }, gone: { calls: ['c1'] }, at: 't1' });
    expect([...(states.at(-1)?.calls.keys() ?? [])]).toEqual(['c2']);
  });

  it('drops changes until the snapshot of a new connection, then has no ghost of the gap', () => {
    const stream = started({});
    last().open();
    last().say({ type: 'snapshot', ...SNAPSHOT });
    last().die();
    vi.advanceTimersByTime(300);
    last().open();
    last().say({ type: 'change', set: { calls: [call('c3', 'menu')] }, at: 't1' });
    expect([...stream.live.calls.keys()]).toEqual(['c1']);
    last().say({ type: 'snapshot', ...SNAPSHOT, calls: [] });
    expect(stream.live.calls.size).toBe(0);
  });

  it('reconnects for ever, never later than 3 s', () => {
    const up: boolean[] = [];
    started({ connection: (state) => up.push(state) });
    for (let n = 1; n <= 12; n += 1) {
      last().die();
      vi.advanceTimersByTime(3000);
      expect(FakeSocket.all.length).toBe(n + 1);
    }
    expect(up.every((state) => !state)).toBe(true);
    for (const attempt of [1, 2, 5, 50, 5000]) expect(retryDelay(attempt, 1)).toBeLessThanOrEqual(3000);
    expect(retryDelay(1, 0)).toBe(200);
  });

  it('notices a connection that is open but silent', () => {
    const up: boolean[] = [];
    started({ connection: (state) => up.push(state) });
    last().open();
    last().say({ type: 'snapshot', ...SNAPSHOT });
    const first = last();
    vi.advanceTimersByTime(5_000);
    expect(first.sent.length).toBe(2);
    vi.advanceTimersByTime(5_000);
    expect(up).toEqual([true, false]);
    expect(first.closed).toBe(true);
  });

  it('stays connected while pongs come', () => {
    started({});
    last().open();
    for (let n = 0; n < 10; n += 1) {
      last().say({ type: 'pong' });
      vi.advanceTimersByTime(5_000);
    }
    expect(FakeSocket.all.length).toBe(1);
  });

  it('does not reconnect when the session was ended', () => {
    const ended: string[] = [];
    started({ sessionEnded: (reason) => ended.push(reason) });
    last().open();
    last().say({ type: 'session_ended', reason: 'logout' });
    vi.advanceTimersByTime(60_000);
    expect(ended).toEqual(['logout']);
    expect(FakeSocket.all.length).toBe(1);
  });

  it('hands on pops and records, and survives rubbish', () => {
    const pops: string[] = [];
    started({ pop: (event) => pops.push(event.caller_number), record: (event) => pops.push(event.result) });
    last().open();
    last().onmessage?.(new MessageEvent('message', { data: 'not json' }));
    last().say(null);
    last().say({ type: 'from_the_future' });
    last().say({ type: 'pop', call_id: 'c', caller_number: '139' });
    last().say({ type: 'record', call_id: 'c', result: 'answered' });
    expect(pops).toEqual(['139', 'answered']);
  });
});
