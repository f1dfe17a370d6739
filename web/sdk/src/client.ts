import { HttpTransport, type TransportOptions } from './http.js';
import { CallsApi } from './resources/calls.js';
import { ConfigApi } from './resources/config.js';
import { LinesApi } from './resources/lines.js';
import { LinksApi } from './resources/links.js';
import { AlarmsApi, PeopleApi } from './resources/people.js';
import { RecordsApi } from './resources/records.js';
import { SeatsApi } from './resources/seats.js';
import { SessionApi } from './resources/session.js';

/**
 * Typed client of the box's HTTP API (docs/api.md). Every method rejects with `Sa800Error` only.
 * The session is a cookie of the box's own origin: the page must be served by the box or by a proxy in front of it.
 */
export class Sa800Client {
  readonly session: SessionApi;
  readonly seats: SeatsApi;
  readonly calls: CallsApi;
  readonly records: RecordsApi;
  readonly config: ConfigApi;
  readonly people: PeopleApi;
  readonly alarms: AlarmsApi;
  readonly lines: LinesApi;
  readonly links: LinksApi;

  constructor(options: TransportOptions = {}) {
    const http = new HttpTransport(options);
    this.session = new SessionApi(http);
    this.seats = new SeatsApi(http);
    this.calls = new CallsApi(http);
    this.records = new RecordsApi(http);
    this.config = new ConfigApi(http);
    this.people = new PeopleApi(http);
    this.alarms = new AlarmsApi(http);
    this.lines = new LinesApi(http);
    this.links = new LinksApi(http);
  }
}
