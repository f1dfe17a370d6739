import type { Line } from './hardware.js';

export type SeatState = 'offline' | 'idle' | 'ringing' | 'talking' | 'held' | 'wrap_up' | 'busy';
export type CallState = 'menu' | 'queue' | 'ringing' | 'talking' | 'held' | 'dialling';
export type Direction = 'inbound' | 'outbound' | 'internal';

export interface LiveQueue {
  id: string;
  name: string;
  waiting: number;
  longest_wait_ms: number;
  seats_idle: number;
  seats_busy: number;
  seats_ringing: number;
  answered_today: number;
  lost_today: number;
  callers: { call_id: string; number: string; since: string }[];
}

export interface Seat {
  user_id: string;
  name: string;
  extension: string;
  state: SeatState;
  reason: string;
  /** null for a seat that was not seen since the manager started. */
  since: string | null;
  queues: string[];
  /** "" when the phone is free. */
  call_id: string;
  /** When wrap-up ends by itself. */
  until: string | null;
}

export interface LiveCall {
  call_id: string;
  direction: Direction;
  caller_number: string;
  called_number: string;
  did: string;
  state: CallState;
  queue: string;
  extension: string;
  since: string;
  started_at: string;
  trunk: string;
}

export interface Alarm {
  id: string;
  key: string;
  level: 'info' | 'warning' | 'critical';
  /** What it is about: a trunk's id, "disk"; "" when the key says it. */
  subject: string;
  since: string;
  cleared_at: string | null;
  /** Login of who has seen it. */
  acked_by: string | null;
  detail: unknown;
}

export interface LiveSnapshot {
  queues: LiveQueue[];
  seats: Seat[];
  calls: LiveCall[];
  alarms: Alarm[];
  lines: Line[];
  at: string;
}

export interface LiveChange {
  set?: Partial<Omit<LiveSnapshot, 'at'>>;
  gone?: { queues?: string[]; seats?: string[]; calls?: string[]; alarms?: string[]; lines?: string[] };
  at: string;
}

/** This seat is being rung: who calls, by which number and which way through the menus. */
export interface PopEvent {
  call_id: string;
  extension: string;
  caller_number: string;
  caller_name: string;
  did: string;
  did_name: string;
  queue: string;
  queue_name: string;
  menu_path: string[];
  /** Id → name of the menus in the path. */
  menu_names: Record<string, string>;
  wait_ms: number;
}

export interface RecordEvent {
  call_id: string;
  result: string;
}
