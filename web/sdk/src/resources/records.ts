import type { HttpTransport, Query } from '../http.js';
import type {
  CallDetail,
  CallQuality,
  CallReport,
  CallSummary,
  Page,
  Peaks,
  QualityQuery,
  QualityReport,
  RecordQuery,
  ReportQuery,
} from '../types/index.js';

/** Call records, their recordings, and the reports made from them. */
export class RecordsApi {
  constructor(private readonly http: HttpTransport) {}

  list(query: RecordQuery, signal?: AbortSignal): Promise<Page<CallSummary>> {
    return this.http.request('GET', '/records', { query: query as Query, signal });
  }

  get(callId: string): Promise<CallDetail> {
    return this.http.request('GET', `/records/${encodeURIComponent(callId)}`);
  }

  peaks(callId: string): Promise<Peaks> {
    return this.http.request('GET', `/records/${encodeURIComponent(callId)}/peaks`);
  }

  recordingUrl(callId: string, download = false): string {
    const path = `/records/${encodeURIComponent(callId)}/recording`;
    return this.http.url(path, download ? { download: 1 } : {});
  }

  csvUrl(query: RecordQuery): string {
    return this.http.url('/records.csv', query as Query);
  }

  report(query: ReportQuery, signal?: AbortSignal): Promise<CallReport> {
    return this.http.request('GET', '/reports/calls', { query: query as Query, signal });
  }

  /** How each leg of a call sounded, in windows of 10 s. */
  quality(callId: string): Promise<CallQuality> {
    return this.http.request('GET', `/records/${encodeURIComponent(callId)}/quality`);
  }

  qualityReport(query: QualityQuery, signal?: AbortSignal): Promise<QualityReport> {
    return this.http.request('GET', '/reports/quality', { query: query as unknown as Query, signal });
  }
}
