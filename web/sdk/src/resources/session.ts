import type { HttpTransport } from '../http.js';
import type { BoxStatus, Language, Session, SetupRequest, SipAccount } from '../types/index.js';

/** Who is at this page: status of the box, first set-up, log-in and log-out. */
export class SessionApi {
  constructor(private readonly http: HttpTransport) {}

  status(): Promise<BoxStatus> {
    return this.http.request('GET', '/status');
  }

  setup(body: SetupRequest): Promise<Session> {
    return this.http.request('POST', '/setup', { body });
  }

  logIn(login: string, password: string): Promise<Session> {
    return this.http.request('POST', '/session', { body: { login, password } });
  }

  get(): Promise<Session> {
    return this.http.request('GET', '/session');
  }

  /** Another extension for this session (hot-desk), or another language for its user. */
  change(body: { extension?: string | null; language?: Language }): Promise<Session> {
    return this.http.request('PATCH', '/session', { body });
  }

  logOut(): Promise<void> {
    return this.http.request('DELETE', '/session');
  }

  sip(): Promise<SipAccount> {
    return this.http.request('GET', '/session/sip');
  }
}
