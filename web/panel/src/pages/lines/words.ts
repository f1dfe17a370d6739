import type { Line, LineAlarm, LineKind } from '@sa800/sdk';

/** Key of the words for an alarm: RED on an analog outside line says that no line is plugged in. */
export function alarmKey(kind: LineKind, alarm: LineAlarm): string {
  return kind === 'fxo' && alarm === 'red' ? 'lines.alarm.noLine' : `lines.alarm.${alarm}`;
}

/** The timeslot that carries the signalling of the others; 0: none. An R2 line's timeslot 16 carries its signals, too. */
export function signallingSlot(line: Line): number {
  return ['pri', 'r2', 'ss7'].includes(line.signalling) ? 16 : 0;
}

/** Whether the box can take it out of service: Asterisk cannot do so with B channels of a PRI. */
export function blockable(line: Line): boolean {
  return line.signalling !== '' && line.signalling !== 'pri' && line.state !== 'missing' && line.state !== 'refused';
}

export type SlotUse = 'stuck' | 'call' | 'blocked' | 'signalling' | 'idle';

/** What each timeslot of an E1 does, from 1. */
export function slotUses(line: Line): SlotUse[] {
  return Array.from({ length: line.timeslots }, (_, index) => {
    const slot = index + 1;
    if (line.stuck.includes(slot)) return 'stuck';
    if (line.calls.includes(slot)) return 'call';
    if (line.blocked.includes(slot)) return 'blocked';
    return slot === signallingSlot(line) ? 'signalling' : 'idle';
  });
}

/** A piece of a time bar, in hundredths of its length. */
export interface Bar {
  left: number;
  width: number;
}

/** Where a period lies on a bar from `begin` to `end` (ms); null when it lies before it. */
export function barOf(since: string, until: string | null, begin: number, end: number): Bar | null {
  const from = Math.max(begin, Date.parse(since));
  const to = Math.min(end, until === null ? end : Date.parse(until));
  if (to < begin || from > end) return null;
  const share = 100 / (end - begin);
  // A flap of 50 ms must be seen, too.
  const width = Math.min(100, Math.max(0.6, (to - from) * share));
  return { left: Math.min((from - begin) * share, 100 - width), width };
}
