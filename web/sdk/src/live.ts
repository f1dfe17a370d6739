import type { Alarm, Line, LiveCall, LiveChange, LiveQueue, LiveSnapshot, Seat } from './types/index.js';

/** The live board as the page knows it. Objects are replaced, never changed in place. */
export interface LiveState {
  queues: ReadonlyMap<string, LiveQueue>;
  seats: ReadonlyMap<string, Seat>;
  calls: ReadonlyMap<string, LiveCall>;
  alarms: ReadonlyMap<string, Alarm>;
  lines: ReadonlyMap<string, Line>;
  /** Server time of the last message, RFC 3339; '' before the first. */
  at: string;
}

export const EMPTY_LIVE: LiveState = {
  queues: new Map(),
  seats: new Map(),
  calls: new Map(),
  alarms: new Map(),
  lines: new Map(),
  at: '',
};

const idOf = {
  queues: (item: LiveQueue) => item.id,
  seats: (item: Seat) => item.user_id,
  calls: (item: LiveCall) => item.call_id,
  alarms: (item: Alarm) => item.id,
  lines: (item: Line) => item.id,
};

/** A snapshot replaces everything: what it does not name is gone. */
export function fromSnapshot(snapshot: LiveSnapshot): LiveState {
  return {
    queues: indexed(snapshot.queues, idOf.queues),
    seats: indexed(snapshot.seats, idOf.seats),
    calls: indexed(snapshot.calls, idOf.calls),
    alarms: indexed(snapshot.alarms, idOf.alarms),
    lines: indexed(snapshot.lines, idOf.lines),
    at: snapshot.at,
  };
}

/** One change folded in. An object both set and gone in one message is gone. */
export function fold(state: LiveState, change: LiveChange): LiveState {
  const { set = {}, gone = {} } = change;
  return {
    queues: merged(state.queues, set.queues, gone.queues, idOf.queues),
    seats: merged(state.seats, set.seats, gone.seats, idOf.seats),
    calls: merged(state.calls, set.calls, gone.calls, idOf.calls),
    alarms: merged(state.alarms, set.alarms, gone.alarms, idOf.alarms),
    lines: merged(state.lines, set.lines, gone.lines, idOf.lines),
    at: change.at,
  };
}

function indexed<T>(items: readonly T[] | undefined, id: (item: T) => string): ReadonlyMap<string, T> {
  return new Map((items ?? []).map((item) => [id(item), item]));
}

function merged<T>(
  before: ReadonlyMap<string, T>,
  set: readonly T[] | undefined,
  gone: readonly string[] | undefined,
  id: (item: T) => string,
): ReadonlyMap<string, T> {
  if (!set?.length && !gone?.length) return before;
  const after = new Map(before);
  for (const item of set ?? []) after.set(id(item), item);
  for (const key of gone ?? []) after.delete(key);
  return after;
}
