/** One field that the server refused: where (as a path in the request or document) and why. */
export interface FieldError {
  path: string;
  message: string;
  /** Stable, for translations; '' where there is none. */
  key: string;
  /** What a translation names. */
  values: Readonly<Record<string, string | number>>;
}

/** What the server says about a failure; the same shape for every route (docs/api.md). */
export interface ErrorBody {
  key: string;
  message: string;
  hint?: string;
  fields?: FieldError[];
}

/**
 * The one error this SDK throws.
 * `key` is stable, for programs and translations (`config.reference`); `message` is for people.
 * `status` is the HTTP status; 0 = no answer came (`network.unreachable`, `network.timeout`, `request.aborted`).
 */
export class Sa800Error extends Error {
  readonly key: string;
  readonly hint: string;
  readonly fields: readonly FieldError[];
  readonly status: number;

  constructor(body: ErrorBody, status: number) {
    super(body.message);
    this.name = 'Sa800Error';
    this.key = body.key;
    this.hint = body.hint ?? '';
    this.fields = body.fields ?? [];
    this.status = status;
  }

  /** The manager process does not answer just now. Calls go on. */
  get managerAway(): boolean {
    return this.key === 'agent.unavailable' || /^network\.|^http\.50[234]$/.test(this.key);
  }

  /** Nothing is wrong with the request, it may be tried again: the manager, Asterisk or a card is away just now. */
  get unavailable(): boolean {
    return this.managerAway || this.status === 503;
  }

  /** There is no session (any more): log in again. */
  get unauthenticated(): boolean {
    return this.status === 401;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function fieldsFrom(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((item) => ({
    path: String(item.path ?? ''),
    message: String(item.message ?? ''),
    key: String(item.key ?? ''),
    values: isRecord(item.values) ? (item.values as Record<string, string | number>) : {},
  }));
}

/** Foreign JSON → error. An answer that is not ours (a proxy's page) becomes `http.<status>`. */
export function errorFromAnswer(status: number, body: unknown): Sa800Error {
  const error = isRecord(body) && isRecord(body.error) ? body.error : null;
  if (error === null || typeof error.key !== 'string') {
    return new Sa800Error({ key: `http.${status}`, message: `The box answered with HTTP status ${status}.` }, status);
  }
  return new Sa800Error(
    {
      key: error.key,
      message: String(error.message ?? error.key),
      hint: typeof error.hint === 'string' ? error.hint : '',
      fields: fieldsFrom(error.fields),
    },
    status,
  );
}
