import { errorFromAnswer, Sa800Error } from './errors.js';

export type QueryValue = string | number | boolean | null | undefined;
export type Query = Record<string, QueryValue>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestOptions {
  query?: Query;
  /** Sent as JSON; a FormData is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Milliseconds until the request is given up; default 10 000. */
  timeoutMs?: number;
}

export interface TransportOptions {
  /** Where the box is: '' = the page's own origin, else `https://box.example`. */
  baseUrl?: string;
  /** Default: the global fetch. */
  fetch?: typeof globalThis.fetch;
  /** Hears of every failed request, before it is thrown. */
  onError?: (error: Sa800Error) => void;
  /** Hears of every answered request: the manager is there. */
  onAnswer?: () => void;
}

/** `{a: 1, b: undefined, c: ''}` → `?a=1`: empty values are left out. */
export function queryString(query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** JSON over HTTP with time-outs and one error class. */
export class HttpTransport {
  private readonly options: TransportOptions;

  constructor(options: TransportOptions = {}) {
    this.options = options;
  }

  /** Absolute URL of an API path such as `/records/1.2/recording`. */
  url(path: string, query?: Query): string {
    return `${this.options.baseUrl ?? ''}/api/v1${path}${queryString(query)}`;
  }

  async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    try {
      const answer = await this.send(method, path, options);
      this.options.onAnswer?.();
      return answer as T;
    } catch (error) {
      if (error instanceof Sa800Error) this.options.onError?.(error);
      throw error;
    }
  }

  private async send(method: Method, path: string, options: RequestOptions): Promise<unknown> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), options.timeoutMs ?? 10_000);
    const abort = () => timeout.abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted) abort();
    try {
      const doFetch = this.options.fetch ?? globalThis.fetch.bind(globalThis);
      const response = await doFetch(this.url(path, options.query), {
        method,
        credentials: 'same-origin',
        signal: timeout.signal,
        ...bodyAndHeaders(options),
      });
      const text = await response.text();
      const body = parse(text);
      if (!response.ok) throw errorFromAnswer(response.status, body);
      return body;
    } catch (error) {
      throw error instanceof Sa800Error ? error : unanswered(error, options.signal?.aborted ?? false);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
    }
  }
}

function bodyAndHeaders(options: RequestOptions): { headers: Record<string, string>; body?: BodyInit } {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
  if (options.body === undefined) return { headers };
  if (options.body instanceof FormData) return { headers, body: options.body };
  return { headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(options.body) };
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unanswered(error: unknown, byCaller: boolean): Sa800Error {
  if (byCaller) return new Sa800Error({ key: 'request.aborted', message: 'The request was given up.' }, 0);
  const timedOut = error instanceof Error && error.name === 'AbortError';
  return timedOut
    ? new Sa800Error({ key: 'network.timeout', message: 'The box did not answer in time.' }, 0)
    : new Sa800Error({ key: 'network.unreachable', message: 'The box cannot be reached.' }, 0);
}
