import type { HttpTransport, Query } from '../http.js';
import type { Alarm, AuditEntry, AuditQuery, Page, User, UserWrite } from '../types/index.js';

/** Users, and who did what. */
export class PeopleApi {
  constructor(private readonly http: HttpTransport) {}

  users(): Promise<User[]> {
    return this.http.request('GET', '/users');
  }

  create(user: UserWrite): Promise<User> {
    return this.http.request('POST', '/users', { body: user });
  }

  replace(id: string, user: UserWrite): Promise<User> {
    return this.http.request('PUT', `/users/${encodeURIComponent(id)}`, { body: user });
  }

  remove(id: string): Promise<void> {
    return this.http.request('DELETE', `/users/${encodeURIComponent(id)}`);
  }

  audit(query: AuditQuery = {}): Promise<Page<AuditEntry>> {
    return this.http.request('GET', '/audit', { query: query as Query });
  }
}

export class AlarmsApi {
  constructor(private readonly http: HttpTransport) {}

  list(): Promise<Alarm[]> {
    return this.http.request('GET', '/alarms');
  }

  acknowledge(id: string): Promise<void> {
    return this.http.request('POST', `/alarms/${encodeURIComponent(id)}/ack`, {});
  }
}
