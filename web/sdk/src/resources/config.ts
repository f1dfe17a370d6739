import type { HttpTransport } from '../http.js';
import type {
  ApplyJob,
  CollectionName,
  Collections,
  ConfigDiff,
  ConfigState,
  ConfigVersion,
  Language,
  Network,
  Prompt,
  Site,
} from '../types/index.js';

/** The desired state: edit the draft, look at what would change, apply, go back. */
export class ConfigApi {
  constructor(private readonly http: HttpTransport) {}

  get(): Promise<ConfigState> {
    return this.http.request('GET', '/config');
  }

  /** `revision` guards against overwriting another administrator's edit (409). */
  put<K extends CollectionName>(
    collection: K,
    id: string,
    item: Collections[K],
    revision: number,
  ): Promise<{ revision: number; item: Collections[K] }> {
    const path = `/config/${collection}/${encodeURIComponent(id)}`;
    return this.http.request('PUT', path, { body: item, headers: ifMatch(revision) });
  }

  putSite(site: Site, revision: number): Promise<{ revision: number; item: Site }> {
    return this.http.request('PUT', '/config/site', { body: site, headers: ifMatch(revision) });
  }

  putNetwork(network: Network, revision: number): Promise<{ revision: number; item: Network }> {
    return this.http.request('PUT', '/config/network', { body: network, headers: ifMatch(revision) });
  }

  remove(collection: CollectionName, id: string, revision: number): Promise<{ revision: number } | undefined> {
    const path = `/config/${collection}/${encodeURIComponent(id)}`;
    return this.http.request('DELETE', path, { headers: ifMatch(revision) });
  }

  diff(): Promise<ConfigDiff> {
    return this.http.request('GET', '/config/diff', { timeoutMs: 20_000 });
  }

  apply(revision: number, when: 'now' | 'idle', comment = ''): Promise<ApplyJob> {
    return this.http.request('POST', '/config/apply', { body: { revision, when, comment }, timeoutMs: 20_000 });
  }

  job(id: string): Promise<ApplyJob> {
    return this.http.request('GET', `/config/jobs/${encodeURIComponent(id)}`);
  }

  /** Ends an apply that still waits for calls to end (409 in any other state); the draft keeps its changes. */
  cancel(id: string): Promise<ApplyJob> {
    return this.http.request('DELETE', `/config/jobs/${encodeURIComponent(id)}`);
  }

  /** Back to the running version: all changes not applied are dropped. */
  dropDraft(): Promise<void> {
    return this.http.request('DELETE', '/config/draft');
  }

  versions(): Promise<ConfigVersion[]> {
    return this.http.request('GET', '/config/versions');
  }

  /** The draft becomes version `version`; apply follows as usual. */
  rollback(version: number): Promise<void> {
    return this.http.request('POST', `/config/versions/${version}/rollback`, {});
  }

  uploadPrompt(file: Blob, filename: string, name: string, language: Language): Promise<Prompt> {
    const form = new FormData();
    form.set('name', name);
    form.set('language', language);
    form.set('file', file, filename);
    return this.http.request('POST', '/prompts', { body: form, timeoutMs: 60_000 });
  }

  speakPrompt(text: string, name: string, language: Language): Promise<Prompt> {
    return this.http.request('POST', '/prompts/speech', { body: { text, name, language }, timeoutMs: 60_000 });
  }

  promptUrl(id: string): string {
    return this.http.url(`/prompts/${encodeURIComponent(id)}/audio`);
  }
}

function ifMatch(revision: number): Record<string, string> {
  return { 'If-Match': String(revision) };
}
