import type { HttpTransport } from '../http.js';
import type { LinkProbe, LinkProbeOrder, LinkProbes } from '../types/index.js';

/** Probes of the links to other boxes: how would so many calls sound. Progress and result come with the events. */
export class LinksApi {
  constructor(private readonly http: HttpTransport) {}

  overview(signal?: AbortSignal): Promise<LinkProbes> {
    return this.http.request('GET', '/link-probes', { signal });
  }

  /** With every second. */
  get(id: string, signal?: AbortSignal): Promise<LinkProbe> {
    return this.http.request('GET', path(id), { signal });
  }

  /** 409 `probe.calls` while calls are up, unless `in_spite_of_calls`. */
  probe(peer: string, order: LinkProbeOrder): Promise<LinkProbe> {
    return this.http.request('POST', '/link-probes', { body: { peer, ...order } });
  }

  stop(id: string): Promise<LinkProbe> {
    return this.http.request('POST', `${path(id)}/stop`);
  }
}

function path(id: string): string {
  return `/link-probes/${encodeURIComponent(id)}`;
}
