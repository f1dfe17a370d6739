import type { Direction } from './live.js';

export type CallResult =
  | 'answered'
  | 'abandoned_menu'
  | 'abandoned_queue'
  | 'queue_timeout'
  | 'queue_unavailable'
  | 'busy'
  | 'no_answer'
  | 'cancelled'
  | 'failed'
  | 'unknown_number'
  | 'interrupted';

export const CALL_RESULTS: readonly CallResult[] = [
  'answered',
  'abandoned_menu',
  'abandoned_queue',
  'queue_timeout',
  'queue_unavailable',
  'busy',
  'no_answer',
  'cancelled',
  'failed',
  'unknown_number',
  'interrupted',
];

export interface CallSummary {
  call_id: string;
  direction: Direction;
  result: CallResult;
  caller_number: string;
  caller_name: string;
  called_number: string;
  did: string;
  trunk: string;
  line: string;
  queue: string;
  extension: string;
  user_id: string;
  user_name: string;
  started_at: string;
  answered_at: string | null;
  ended_at: string;
  menu_ms: number;
  wait_ms: number;
  ring_ms: number;
  talk_ms: number;
  hold_ms: number;
  transfers: number;
  hangup_by: 'caller' | 'callee' | 'system' | '';
  hangup_cause: number;
  /** null until it is finished, or when none was made. */
  recording: { seconds: number; size_bytes: number; sha256: string } | null;
}

export interface CallLeg {
  uniqueid: string;
  channel: string;
  role: string;
  extension: string;
  trunk: string;
  number: string;
  started_at: string;
  answered_at: string | null;
  ended_at: string;
  ring_ms: number;
  hold_ms: number;
  hangup_cause: number;
  connected: boolean;
}

export interface QueueVisit {
  queue: string;
  joined_at: string;
  left_at: string;
  wait_ms: number;
  outcome: string;
  answered_by: string;
}

export interface TimelineItem {
  at: string;
  kind: string;
  detail: Record<string, string>;
}

export interface CallDetail extends CallSummary {
  menu_path: string[];
  /** Id → name of the menus in the path, as far as there are still such. */
  menu_names: Record<string, string>;
  legs: CallLeg[];
  queue_visits: QueueVisit[];
  timeline: TimelineItem[];
}

export interface RecordQuery {
  from?: string;
  to?: string;
  direction?: Direction | '';
  result?: CallResult | '';
  queue?: string;
  extension?: string;
  number?: string;
  did?: string;
  sort?: string;
  limit?: number;
  offset?: number;
}

/** Loudness of both sides of a recording, 0..1: left = caller, right = us. */
export interface Peaks {
  rate: number;
  left: number[];
  right: number[];
}

export type ReportBy = 'hour' | 'day' | 'hour_of_day';

export interface ReportFigures {
  offered: number;
  answered: number;
  lost: number;
  lost_rate: number | null;
  avg_wait_ms: number | null;
  max_wait_ms: number | null;
  avg_talk_ms: number | null;
  service_level: number | null;
}

export interface ReportRow extends ReportFigures {
  bucket: string;
}

export interface CallReport {
  rows: ReportRow[];
  total: ReportFigures;
  definitions: Record<string, string>;
  /** Of the site; buckets are in it. */
  timezone: string;
}

export interface ReportQuery {
  from?: string;
  to?: string;
  by?: ReportBy;
  queue?: string;
  /** Language of `definitions`. */
  lang?: 'zh' | 'en';
}
