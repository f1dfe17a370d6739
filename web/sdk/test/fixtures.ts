import type { LiveCall, LiveSnapshot, Seat } from '../src/index.js';

export function seat(userId: string, state: Seat['state']): Seat {
  return {
    user_id: userId,
    name: userId,
    extension: '1001',
    state,
    reason: '',
    since: 's',
    queues: [],
    call_id: '',
    until: null,
  };
}

export function call(id: string, state: LiveCall['state']): LiveCall {
  return {
    call_id: id,
    direction: 'inbound',
    caller_number: '13800138000',
    called_number: '8000',
    did: '8000',
    state,
    queue: '',
    extension: '',
    since: 's',
    started_at: 's',
    trunk: 't',
  };
}

export const SNAPSHOT: LiveSnapshot = {
  queues: [],
  seats: [seat('u1', 'idle'), seat('u2', 'busy')],
  calls: [call('c1', 'menu')],
  alarms: [],
  lines: [],
  at: 't0',
};
