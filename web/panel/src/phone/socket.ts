/**
 * The phone's WebSocket for JsSIP, with what its own lacks: a limit on how long connecting may take, quick tries
 * while the box's front restarts (about a second), and a way to give up a connection that has gone silent.
 */
export class PhoneSocket {
  readonly url: string;
  readonly sip_uri: string;
  via_transport = 'WS';
  onconnect: () => void = () => undefined;
  ondisconnect: (error?: boolean, code?: number, reason?: string) => void = () => undefined;
  ondata: (data: unknown) => void = () => undefined;
  /** Time of the last message from the box, ms (performance clock). */
  heardAt = 0;
  private ws: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Milliseconds: one try may take this long; the next follows after a pause; then JsSIP waits a second. */
  static readonly TRY_MS = 2_000;
  static readonly PAUSE_MS = 300;
  static readonly TRIES = 10;

  constructor(url: string) {
    this.url = url;
    this.sip_uri = `sip:${new URL(url).host};transport=ws`;
  }

  connect(): void {
    if (this.isConnected() || this.isConnecting()) return;
    this.attempt(1);
  }

  disconnect(): void {
    this.drop();
  }

  /** The connection looks alive to the browser but is not: lose it now. */
  abandon(): void {
    if (this.ws === null) return;
    this.drop();
    this.ondisconnect(true, 1006, 'silent');
  }

  send(message: string): boolean {
    if (!this.isConnected()) return false;
    this.ws?.send(message);
    return true;
  }

  isConnected(): boolean {
    return this.ws?.readyState === WebSocket.OPEN;
  }

  isConnecting(): boolean {
    return this.ws?.readyState === WebSocket.CONNECTING;
  }

  private attempt(number: number): void {
    const ws = new WebSocket(this.url, 'sip');
    this.ws = ws;
    const fail = () => this.failed(ws, number);
    this.timer = setTimeout(fail, PhoneSocket.TRY_MS);
    ws.onopen = () => {
      clearTimeout(this.timer);
      this.heardAt = performance.now();
      ws.onclose = (event) => {
        this.drop();
        this.ondisconnect(!event.wasClean, event.code, event.reason);
      };
      this.onconnect();
    };
    ws.onmessage = (event) => {
      this.heardAt = performance.now();
      this.ondata(String(event.data));
    };
    ws.onclose = fail;
  }

  private failed(ws: WebSocket, number: number): void {
    if (ws !== this.ws) return;
    this.drop();
    if (number >= PhoneSocket.TRIES) this.ondisconnect(true, 1006, 'unreachable');
    else this.timer = setTimeout(() => this.attempt(number + 1), PhoneSocket.PAUSE_MS);
  }

  private drop(): void {
    clearTimeout(this.timer);
    const ws = this.ws;
    this.ws = null;
    if (ws === null) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.close();
  }
}
