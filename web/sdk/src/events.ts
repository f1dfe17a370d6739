import { EMPTY_LIVE, fold, fromSnapshot, type LiveState } from './live.js';
import type { ApplyJob, LineTest, LinkProbe, LiveChange, LiveSnapshot, PopEvent, RecordEvent } from './types/index.js';

/** What the stream tells. `connection`: whether live state can be trusted now. */
export interface EventHandlers {
  live?: (state: LiveState) => void;
  connection?: (up: boolean) => void;
  pop?: (event: PopEvent) => void;
  record?: (event: RecordEvent) => void;
  job?: (job: ApplyJob) => void;
  lineTest?: (test: LineTest) => void;
  linkProbe?: (probe: LinkProbe) => void;
  /** The server ended the session; the stream has closed and does not reconnect. */
  sessionEnded?: (reason: string) => void;
  /** A connection attempt failed `attempts` times in a row: a good moment to ask whether the session still lives. */
  unreachable?: (attempts: number) => void;
}

/** The part of WebSocket that is used; tests and other run-times give their own. */
export interface SocketLike {
  readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  send(data: string): void;
  close(): void;
}

export interface StreamOptions {
  /** Default: `/api/v1/events` on the page's own host. */
  url?: string;
  socket?: (url: string) => SocketLike;
  random?: () => number;
}

/** Milliseconds. A box on the same network answers at once: short limits find a dead manager soon. */
export const TIMES = { connect: 4_000, silence: 20_000, ping: 5_000, pong: 3_000, firstRetry: 250, lastRetry: 3_000 };

/** Wait before try number `attempt` (from 1): doubles from 250 ms to 3 s, with ±20 % so that panels do not march in step. */
export function retryDelay(attempt: number, random: number): number {
  const base = Math.min(TIMES.lastRetry / 1.2, TIMES.firstRetry * 2 ** Math.min(attempt - 1, 10));
  return Math.round(base * (0.8 + 0.4 * random));
}

type Message =
  | ({ type: 'snapshot' } & LiveSnapshot)
  | ({ type: 'change' } & LiveChange)
  | ({ type: 'pop' } & PopEvent)
  | ({ type: 'record' } & RecordEvent)
  | ({ type: 'job' } & ApplyJob)
  | { type: 'line_test'; test: LineTest }
  | { type: 'link_probe'; probe: LinkProbe }
  | { type: 'session_ended'; reason: string }
  | { type: 'pong' };

/**
 * The box's events over one WebSocket, for ever: reconnects by itself, starts again from a snapshot after every gap
 * and keeps the live state folded. Changes that arrive before the first snapshot of a connection are dropped.
 */
export class EventStream {
  private state: LiveState = EMPTY_LIVE;
  private socket: SocketLike | null = null;
  private attempts = 0;
  private inStep = false;
  private stopped = true;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly handlers: EventHandlers,
    private readonly options: StreamOptions = {},
  ) {}

  get live(): LiveState {
    return this.state;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.attempts = 0;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    this.drop();
  }

  private connect(): void {
    const socket = (this.options.socket ?? defaultSocket)(this.options.url ?? defaultUrl());
    this.socket = socket;
    this.watch(TIMES.connect);
    socket.onopen = () => this.ping();
    socket.onmessage = (event) => this.receive(String(event.data));
    socket.onclose = () => this.lost(socket);
    socket.onerror = () => undefined;
  }

  /** Nothing heard for `ms`: the connection is dead even if TCP has not noticed. */
  private watch(ms: number): void {
    clearTimeout(this.watchTimer);
    this.watchTimer = setTimeout(() => this.socket && this.lost(this.socket), ms);
  }

  private ping(): void {
    clearTimeout(this.pingTimer);
    if (this.socket?.readyState === 1) {
      this.socket.send('{"type":"ping"}');
      this.watch(TIMES.pong);
    }
    this.pingTimer = setTimeout(() => this.ping(), TIMES.ping);
  }

  private receive(text: string): void {
    this.watch(TIMES.silence);
    const message = parse(text);
    if (message === null) return;
    switch (message.type) {
      case 'snapshot':
        this.inStep = true;
        this.attempts = 0;
        this.publish(fromSnapshot(message));
        this.handlers.connection?.(true);
        return;
      case 'change':
        if (this.inStep) this.publish(fold(this.state, message));
        return;
      case 'session_ended':
        this.stop();
        this.handlers.sessionEnded?.(message.reason);
        return;
      case 'pop':
        this.handlers.pop?.(message);
        return;
      case 'record':
        this.handlers.record?.(message);
        return;
      case 'job':
        this.handlers.job?.(message);
        return;
      case 'line_test':
        this.handlers.lineTest?.(message.test);
        return;
      case 'link_probe':
        this.handlers.linkProbe?.(message.probe);
        return;
      case 'pong':
        return;
    }
  }

  private publish(state: LiveState): void {
    this.state = state;
    this.handlers.live?.(state);
  }

  private lost(socket: SocketLike): void {
    if (socket !== this.socket) return;
    this.drop();
    if (this.stopped) return;
    this.attempts += 1;
    this.handlers.connection?.(false);
    this.handlers.unreachable?.(this.attempts);
    if (this.stopped) return;
    const delay = retryDelay(this.attempts, (this.options.random ?? Math.random)());
    this.retryTimer = setTimeout(() => this.connect(), delay);
  }

  private drop(): void {
    clearTimeout(this.watchTimer);
    clearTimeout(this.pingTimer);
    this.inStep = false;
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

function parse(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as Message) : null;
  } catch {
    return null;
  }
}

function defaultUrl(): string {
  const { protocol, host } = globalThis.location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/v1/events`;
}

function defaultSocket(url: string): SocketLike {
  return new WebSocket(url);
}
