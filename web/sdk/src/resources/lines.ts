import type { HttpTransport } from '../http.js';
import type {
  LineDetail,
  LineHistory,
  LinesOverview,
  LineTest,
  LineTestOrder,
  LineTests,
  LineTrace,
} from '../types/index.js';

/** Telephone cards and lines: what is in the box and how it does. What they should be stands in the configuration. */
export class LinesApi {
  constructor(private readonly http: HttpTransport) {}

  overview(signal?: AbortSignal): Promise<LinesOverview> {
    return this.http.request('GET', '/lines', { signal });
  }

  /** Looks for cards now. */
  look(): Promise<LinesOverview> {
    return this.http.request('POST', '/cards', { timeoutMs: 20_000 });
  }

  get(name: string, signal?: AbortSignal): Promise<LineDetail> {
    return this.http.request('GET', path(name), { signal });
  }

  history(name: string, hours: number, signal?: AbortSignal): Promise<LineHistory> {
    return this.http.request('GET', `${path(name)}/history`, { query: { hours, limit: 1000 }, signal });
  }

  /** Takes a line, or timeslots of an E1, out of service (409 where that cannot be done). */
  block(name: string, timeslots: number[] = []): Promise<LineDetail> {
    return this.http.request('POST', `${path(name)}/block`, { body: { timeslots }, timeoutMs: 60_000 });
  }

  unblock(name: string, timeslots: number[] = []): Promise<LineDetail> {
    return this.http.request('POST', `${path(name)}/unblock`, { body: { timeslots }, timeoutMs: 60_000 });
  }

  traces(name: string, signal?: AbortSignal): Promise<LineTrace[]> {
    return this.http.request('GET', `${path(name)}/traces`, { signal });
  }

  /** Writes down what the line's signalling says; one trace at a time. */
  trace(name: string, seconds: number): Promise<LineTrace> {
    return this.http.request('POST', `${path(name)}/traces`, { body: { seconds } });
  }

  stopTrace(id: string): Promise<LineTrace> {
    return this.http.request('POST', `/traces/${encodeURIComponent(id)}/stop`);
  }

  traceUrl(id: string): string {
    return this.http.url(`/traces/${encodeURIComponent(id)}`);
  }

  /** What can be tested on the line, and what was. */
  tests(name: string, signal?: AbortSignal): Promise<LineTests> {
    return this.http.request('GET', `${path(name)}/tests`, { signal });
  }

  /** Begins a test; its progress and result come with the events. */
  test(name: string, order: LineTestOrder): Promise<LineTest> {
    return this.http.request('POST', `${path(name)}/tests`, { body: order });
  }

  stopTest(id: string): Promise<LineTest> {
    return this.http.request('POST', `/line-tests/${encodeURIComponent(id)}/stop`);
  }

  /** A card that is out of the box and will not come back: its lines' names are free again. */
  forgetCard(id: string): Promise<LinesOverview> {
    return this.http.request('DELETE', `/cards/${encodeURIComponent(id)}`);
  }

  /** The card `by` came in the place of `id` and takes over its lines' names. */
  replaceCard(id: string, by: string): Promise<LinesOverview> {
    return this.http.request('POST', `/cards/${encodeURIComponent(id)}/replace`, { body: { by } });
  }
}

function path(name: string): string {
  return `/lines/${encodeURIComponent(name)}`;
}
