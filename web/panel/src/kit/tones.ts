export type StatusKind =
  | 'seat'
  | 'call'
  | 'result'
  | 'alarm'
  | 'direction'
  | 'version'
  | 'step'
  | 'phone'
  | 'outcome'
  | 'change'
  | 'line'
  | 'verdict'
  | 'quality';
export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'plain';

const tones: Record<StatusKind, Record<string, Tone>> = {
  seat: {
    idle: 'good',
    ringing: 'warn',
    talking: 'info',
    held: 'info',
    wrap_up: 'warn',
    busy: 'bad',
    offline: 'plain',
  },
  call: { menu: 'plain', queue: 'warn', ringing: 'warn', talking: 'good', held: 'info', dialling: 'info' },
  result: {
    answered: 'good',
    abandoned_queue: 'bad',
    queue_timeout: 'bad',
    queue_unavailable: 'bad',
    failed: 'bad',
    interrupted: 'bad',
    no_answer: 'warn',
    busy: 'warn',
    cancelled: 'plain',
    abandoned_menu: 'plain',
    unknown_number: 'warn',
  },
  outcome: { answered: 'good', abandon: 'bad', timeout: 'bad', full: 'bad', joinempty: 'bad', leaveempty: 'bad' },
  alarm: { info: 'info', warning: 'warn', critical: 'bad' },
  direction: { inbound: 'info', outbound: 'plain', internal: 'plain' },
  version: { running: 'good', failed: 'bad', superseded: 'plain', cancelled: 'plain' },
  step: { done: 'good', running: 'info', failed: 'bad', pending: 'plain', waiting: 'warn', cancelled: 'plain' },
  phone: {
    registered: 'good',
    connecting: 'warn',
    reconnecting: 'warn',
    failed: 'bad',
    off: 'plain',
    elsewhere: 'warn',
  },
  line: {
    in_service: 'good',
    in_call: 'info',
    testing: 'info',
    alarm: 'bad',
    missing: 'bad',
    refused: 'warn',
    not_ready: 'warn',
    blocked: 'warn',
    not_configured: 'plain',
  },
  verdict: { good: 'good', borderline: 'warn', bad: 'bad', failed: 'plain' },
  quality: { best: 'good', high: 'good', medium: 'warn', low: 'bad', poor: 'bad' },
  change: { add: 'good', remove: 'bad', change: 'info' },
};

export function toneOf(kind: StatusKind, value: string): Tone {
  return tones[kind][value] ?? 'plain';
}
