/** Telephone cards and lines as they are now. */

export type LineKind = 'fxo' | 'fxs' | 'e1';
/** The first that holds. */
export type LineState =
  | 'refused'
  | 'missing'
  | 'not_configured'
  | 'not_ready'
  | 'alarm'
  | 'blocked'
  | 'testing'
  | 'in_call'
  | 'in_service';
export type LineAlarm = 'red' | 'yellow' | 'blue' | 'loop' | 'recovering' | 'not_open';

/** One line, live. */
export interface Line {
  /** Its name: fxo-1, fxs-3, e1-2. */
  id: string;
  kind: LineKind;
  /** The how-manieth line that this box ever named. */
  order: number;
  state: LineState;
  since: string;
  alarms: LineAlarm[];
  /** What the configuration calls it; '' when it is not configured. */
  label: string;
  signalling: '' | 'pri' | 'r2' | 'ss7' | 'fxo' | 'fxs';
  /** The line's own number, or the extension at it. */
  number: string;
  timeslots: number;
  /** Timeslots in a call; 1 on an analog line. */
  calls: number[];
  /** Taken out of service by a person. */
  blocked: number[];
  stuck: number[];
}

export interface CardPort {
  kind: LineKind | 'empty' | 'other';
  position: number;
  line: string | null;
}

export interface CardSpan {
  local: number;
  type: string;
  /** DAHDI's; changes from boot to boot. */
  number: number | null;
  ports: CardPort[];
}

export interface Card {
  id: string;
  model: string;
  serial: string | null;
  position: string;
  location: string;
  maker: string;
  present: boolean;
  known: boolean;
  /** Why an unknown card is unknown. */
  trouble: string;
  spans: CardSpan[];
  /** Its lines followed it by a guess. */
  guessed: boolean;
}

/** Something in the box that its edition does not serve. */
export interface CardRefusal {
  card: string;
  lines: string[];
  reason: string;
  hint: string;
}

export interface LinesOverview {
  product: string;
  analog_limit: number;
  e1_limit: number;
  /** A demonstration: nothing of this is real. */
  simulated: boolean;
  /** Why the hardware cannot be looked at; '' when it can. */
  fault: string;
  /** False before the first look at the hardware. */
  probed: boolean;
  cards: Card[];
  lines: Line[];
  refusals: CardRefusal[];
}

export interface LineDetail {
  line: Line;
  card: string | null;
  span: number | null;
  channel: number | null;
  driver_signalling: string;
  held: boolean;
  framing: { coding: 'hdb3' | 'ami'; common_channel: boolean; crc4: boolean } | null;
  clock_master: boolean;
  calls: { timeslot: number; call_id: string }[];
  can: string[];
}

export interface AlarmPeriod {
  alarm: LineAlarm;
  since: string;
  /** null: it still lasts. */
  until: string | null;
}

export interface LineHistory {
  /** Newest first. */
  alarms: AlarmPeriod[];
  /** By the quarter of an hour, oldest first; quarters without anything are left out. */
  counts: { at: string; counts: Record<string, number> }[];
}

/** What a line's signalling said for a while. */
export interface LineTrace {
  id: string;
  line: string;
  by: string;
  began_at: string;
  /** null: it runs. */
  ended_at: string | null;
  size_bytes: number;
  end: '' | 'time' | 'size' | 'stopped' | 'failed';
}
