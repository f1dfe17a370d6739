import type { HttpTransport } from '../http.js';

/** Call control by the server: works for desk phones and browser phones alike. */
export class CallsApi {
  constructor(private readonly http: HttpTransport) {}

  /** Click-to-dial: rings the own extension, then dials `to`. */
  dial(to: string): Promise<{ call_id: string }> {
    return this.http.request('POST', '/calls', { body: { to } });
  }

  hangup(callId: string): Promise<void> {
    return this.act(callId, 'hangup', {});
  }

  hold(callId: string, on: boolean): Promise<void> {
    return this.act(callId, 'hold', { on });
  }

  transfer(callId: string, to: string, kind: 'blind' | 'attended'): Promise<void> {
    return this.act(callId, 'transfer', { to, kind });
  }

  private act(callId: string, verb: string, body: unknown): Promise<void> {
    return this.http.request('POST', `/calls/${encodeURIComponent(callId)}/${verb}`, { body });
  }
}
