import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PhoneSocket } from '../src/phone/socket';

class FakeWebSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static all: FakeWebSocket[] = [];
  readyState = FakeWebSocket.CONNECTING;
  onopen: (() => void) | null = null;
  onclose: ((event: { wasClean: boolean; code: number; reason: string }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  closed = false;
  sent: string[] = [];

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeWebSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.closed = true;
  }
  open() {
    this.readyState = FakeWebSocket.OPEN;
    this.onopen?.();
  }
  refuse() {
    this.onclose?.({ wasClean: false, code: 1006, reason: '' });
  }
}

function newest(): FakeWebSocket {
  const socket = FakeWebSocket.all.at(-1);
  if (!socket) throw new Error('no socket was opened');
  return socket;
}

function phoneSocket() {
  const socket = new PhoneSocket('ws://box.test/ws');
  const heard: string[] = [];
  socket.onconnect = () => heard.push('up');
  socket.ondisconnect = () => heard.push('down');
  socket.ondata = (data) => heard.push(String(data));
  socket.connect();
  return { socket, heard };
}

beforeEach(() => {
  FakeWebSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeWebSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('phone socket', () => {
  it('speaks SIP to the box and tells how it is', () => {
    const { socket, heard } = phoneSocket();
    expect([newest().protocol, socket.isConnecting(), socket.send('x')]).toEqual(['sip', true, false]);
    newest().open();
    expect(socket.send('REGISTER')).toBe(true);
    newest().onmessage?.({ data: 'SIP/2.0 200 OK' });
    expect(heard).toEqual(['up', 'SIP/2.0 200 OK']);
  });

  it('tries again by itself while the front restarts', () => {
    const { heard } = phoneSocket();
    newest().refuse();
    vi.advanceTimersByTime(PhoneSocket.PAUSE_MS);
    newest().refuse();
    vi.advanceTimersByTime(PhoneSocket.PAUSE_MS);
    newest().open();
    expect(FakeWebSocket.all.length).toBe(3);
    expect(heard).toEqual(['up']);
  });

  it('hands over to JsSIP after its tries, and not before', () => {
    const { heard } = phoneSocket();
    for (let n = 1; n <= PhoneSocket.TRIES; n += 1) {
      expect(heard).toEqual([]);
      newest().refuse();
      vi.advanceTimersByTime(PhoneSocket.PAUSE_MS);
    }
    expect([heard, FakeWebSocket.all.length]).toEqual([['down'], PhoneSocket.TRIES]);
  });

  it('does not wait for a front that accepts and says nothing', () => {
    phoneSocket();
    const first = newest();
    vi.advanceTimersByTime(PhoneSocket.TRY_MS + PhoneSocket.PAUSE_MS);
    expect([first.closed, FakeWebSocket.all.length]).toEqual([true, 2]);
  });

  it('tells a loss once, also when it is given up as silent', () => {
    const { socket, heard } = phoneSocket();
    newest().open();
    socket.abandon();
    newest().refuse();
    vi.advanceTimersByTime(60_000);
    expect(heard).toEqual(['up', 'down']);
    expect(newest().closed).toBe(true);
  });

  it('stays quiet after disconnect', () => {
    const { socket, heard } = phoneSocket();
    newest().refuse();
    socket.disconnect();
    vi.advanceTimersByTime(60_000);
    expect([heard, FakeWebSocket.all.length]).toEqual([[], 1]);
  });
});
