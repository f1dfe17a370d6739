export type LineTestKind = 'noise' | 'level' | 'tone' | 'echo' | 'bits' | 'caller_id' | 'busy_tone';
export type Verdict = 'good' | 'borderline' | 'bad';

/** One thing that was measured. */
export interface Figure {
  name:
    | 'noise'
    | 'loss'
    | 'level'
    | 'hz'
    | 'rest'
    | 'return_loss'
    | 'delay'
    | 'error_rate'
    | 'errors'
    | 'bits'
    | 'losses';
  /** null: nothing was found. */
  value: number | null;
  unit: string;
  /** '': for information. */
  verdict: Verdict | '';
  /** [least, most]; ±1000 is no limit. */
  good: [number, number] | null;
  /** What lies outside is bad. */
  bad: [number, number] | null;
}

export interface TestReason {
  key: string;
  message: string;
  hint: string;
}

/** A tone of this exchange. */
export interface FoundTone {
  hz: number[];
  cadence_ms: number[];
  /** The country's own that it is: nothing has to be set up for it. */
  known: '' | 'busy' | 'congestion';
}

export interface LineTest {
  id: string;
  line: string;
  timeslot: number;
  kind: LineTestKind;
  by: string;
  began_at: string;
  /** null: it runs. */
  ended_at: string | null;
  state: 'running' | 'done' | 'stopped' | 'failed';
  order: { seconds: number; level_dbm0: number; number: string };
  /** While it measures. */
  progress: { second: number; level_dbm0: number; errors: number } | null;
  verdict: Verdict | '';
  /** The most telling one first. */
  figures: Figure[];
  tone: FoundTone | null;
  caller: { how: 'fsk' | 'dtmf'; number: string; name: string; withheld: boolean } | null;
  /** Why it failed, or found nothing. */
  reason: TestReason | null;
  lost_ms: number;
}

/** What a person orders. */
export interface LineTestOrder {
  kind: LineTestKind;
  timeslot?: number;
  seconds?: number;
  level_dbm0?: number;
  /** To be called for the test; '' takes an FXO port off hook. */
  number?: string;
}

export interface LineTests {
  possible: {
    kind: LineTestKind;
    /** Why it cannot be tested on this line. */
    refused: TestReason | null;
    seconds: number;
    /** A number has to be said. */
    number: boolean;
  }[];
  /** Newest first. */
  tests: LineTest[];
}
