import type { HttpTransport } from '../http.js';
import type { LiveSnapshot, Seat } from '../types/index.js';

/** Seats (坐席) and the live board. */
export class SeatsApi {
  constructor(private readonly http: HttpTransport) {}

  list(): Promise<Seat[]> {
    return this.http.request('GET', '/seats');
  }

  /** Logs the own seat in if it is not; `idle` also ends wrap-up. */
  setMine(state: 'idle' | 'busy', reason?: string): Promise<Seat> {
    return this.http.request('PUT', '/seats/me', { body: reason ? { state, reason } : { state } });
  }

  leave(): Promise<void> {
    return this.http.request('DELETE', '/seats/me');
  }

  /** Supervisors: force another seat. */
  force(userId: string, state: 'idle' | 'busy' | 'offline', reason = ''): Promise<Seat> {
    return this.http.request('PUT', `/seats/${encodeURIComponent(userId)}`, { body: { state, reason } });
  }

  live(): Promise<LiveSnapshot> {
    return this.http.request('GET', '/live');
  }
}
