import type { TestReason, Verdict } from './linetests.js';

/** `out`: from this box to the other one. */
export type LinkDirection = 'out' | 'back';

/** How one direction of a link was. */
export interface LinkFigures {
  /** 0 … 93.2, ITU-T G.107. */
  r: number;
  mos: number;
  loss_pct: number;
  /** Sound that the jitter buffer had to make up: lost, or too late. */
  made_up_pct: number;
  /** One way; half of the shortest way there and back, and what this direction took longer than at best. */
  network_ms: number;
  buffer_ms: number;
  /** From mouth to ear, one way. */
  delay_ms: number;
  jitter_ms: number;
  /** The sender's own jitter, taken off all others. */
  late_ms: number;
  latest_ms: number;
  /** What came and was not read in time: the receiving box was busy. */
  missed_pct: number;
  verdict: Verdict;
  because: 'loss' | 'jitter' | 'delay';
}

export interface LinkSecond extends LinkFigures {
  direction: LinkDirection;
  step: number;
  second: number;
}

export interface LinkStep {
  step: number;
  /** Calls at the same time. */
  streams: number;
  /** That were measured. */
  seconds: number;
  verdict: Verdict;
  /** The direction that decides. */
  worst: LinkDirection;
  out: LinkFigures | null;
  back: LinkFigures | null;
}

export interface LinkProbe {
  id: string;
  peer: string;
  by: string;
  began_at: string;
  /** null: it runs. */
  ended_at: string | null;
  state: 'running' | 'done' | 'stopped' | 'failed';
  order: LinkProbeOrder & { steps: number[]; seconds: number };
  /** Empty in lists. */
  seconds: LinkSecond[];
  steps: LinkStep[];
  /** It ended before its last step: the link lost too much. */
  early: boolean;
  reason: TestReason | null;
  /** Up at the other box, when it refused because of them. */
  calls: number;
}

/** What a person orders. */
export interface LinkProbeOrder {
  /** Calls at the same time, one step after the other. */
  steps?: number[];
  /** Of each step. */
  seconds?: number;
  /** Somebody knows that calls are up, here or there. */
  in_spite_of_calls?: boolean;
}

export interface LinkProbes {
  /** UDP, at which this box answers. */
  port: number;
  listening: boolean;
  /** Whose probe is being answered. */
  answering: { peer: string; since: string } | null;
  calls: number;
  /** Of the configuration that runs; without `host` it may only ask us. */
  peers: { id: string; name: string; host: string | null; port: number }[];
  /** Newest first. */
  probes: LinkProbe[];
}
