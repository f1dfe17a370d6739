/** Telephone lines in the desired state. Lines are named as the box names its connectors: fxo-1, fxs-3, e1-2. */

export type EchoCanceller = 'off' | 'oslec' | 'mg2' | 'kb1' | 'sec' | 'sec2' | 'jpah';

export interface LineAudio {
  echo: EchoCanceller;
  /** On what comes from the line. */
  rx_gain_db: number;
  /** On what goes to the line. */
  tx_gain_db: number;
}

export type CallerIdKind = 'none' | 'fsk' | 'fsk_v23' | 'dtmf' | 'dtmf_polarity';

/** A tone of this exchange that the country's tones do not have. */
export interface LearnedTone {
  hz: number[];
  /** Tone, silence, tone, silence … */
  cadence_ms: number[];
}

/** Hang up on the exchange's tone after the far end has gone: the country's busy and congestion tones. */
export interface BusyTone {
  learned?: LearnedTone | null;
}

export interface FxoPort {
  line: string;
  name: string;
  /** The line's own number: the DID of the calls that come in. */
  number: string;
  caller_id: CallerIdKind;
  /** null: do not hang up on busy tone. */
  busy?: BusyTone | null;
  polarity_hangup: boolean;
  polarity_answer: boolean;
  audio: LineAudio;
}

/** A telephone set at an FXS port; part of an extension of kind `analog`. */
export interface AnalogSet {
  line: string;
  audio: LineAudio;
}

export type NumberType = 'unknown' | 'subscriber' | 'national' | 'international';

export interface Pri {
  kind: 'pri';
  side: 'user' | 'network';
  switch: 'euroisdn' | 'qsig';
  called_type: NumberType;
  calling_type: NumberType;
  overlap: boolean;
}

export interface R2 {
  kind: 'r2';
  dnis_digits: number;
  /** 0: the caller's number is not asked for. */
  ani_digits: number;
  category: 'national_subscriber' | 'national_priority_subscriber';
}

export interface Ss7 {
  kind: 'ss7';
  linkset: string;
  /** Circuit code of timeslot 1. */
  first_cic: number;
  /** Code of the signalling link in timeslot 16; null: it carries talk. */
  link?: number | null;
}

export type Signalling = Pri | R2 | Ss7;

export interface E1Span {
  line: string;
  name: string;
  signalling: Signalling;
  /** 1: first source of the box's clock …; 0: never. */
  clock: number;
  crc4: boolean;
  audio: LineAudio;
}

export interface LinkSet {
  /** "1" to "12". */
  id: string;
  name: string;
  own_point_code: number;
  adjacent_point_code: number;
  /** null: the adjacent one. */
  destination_point_code?: number | null;
  network: 'international' | 'international_spare' | 'national' | 'national_spare';
  called_type: NumberType;
  calling_type: NumberType;
}

export interface LineTrunk {
  id: string;
  name: string;
  /** In the order of choice. */
  lines: string[];
  order: 'ascending' | 'descending' | 'rotating';
  /** What the called party sees (E1 only); null: the extension's own number. */
  caller_number?: string | null;
}
