import type { LinkDirection, LinkFigures, LinkProbe, LinkStep } from '@sa800/sdk';

export const DIRECTIONS: readonly LinkDirection[] = ['out', 'back'];
/** Of the steps together; the box refuses more. */
export const MOST_SECONDS = 60;
/** A sender so much behind its own clock measures itself; so does a receiver that does not read. */
const BUSY_MS = 5;
const MISSED_PCT = 0.1;

/** What a probe says: for how many calls it is good, and the first step that is not. */
export interface Conclusion {
  good: number | null;
  worse: LinkStep | null;
}

export function conclusion(steps: readonly LinkStep[]): Conclusion {
  const worse = steps.find((step) => step.verdict !== 'good') ?? null;
  const good = steps.filter((step) => step.verdict === 'good' && (!worse || step.streams < worse.streams));
  return { good: good.length ? Math.max(...good.map((step) => step.streams)) : null, worse };
}

/** One row of the table: a step in one direction. */
export interface Row extends LinkFigures {
  key: string;
  streams: number;
  direction: LinkDirection;
}

export function rows(steps: readonly LinkStep[]): Row[] {
  return steps.flatMap((step) =>
    DIRECTIONS.flatMap((direction) => {
      const figures = step[direction];
      return figures ? [{ ...figures, key: `${step.step}-${direction}`, streams: step.streams, direction }] : [];
    }),
  );
}

/** The worst of both boxes' own hurry; null: they had time. */
export function busy(steps: readonly LinkStep[]): { late: string; missed: string } | null {
  const all = rows(steps);
  const late = Math.max(0, ...all.map((row) => row.late_ms));
  const missed = Math.max(0, ...all.map((row) => row.missed_pct));
  return late > BUSY_MS || missed > MISSED_PCT ? { late: late.toFixed(1), missed: missed.toFixed(1) } : null;
}

/** R of one direction over the probe's seconds: [second from its begin, R]. */
export function series(probe: LinkProbe, direction: LinkDirection): [number, number][] {
  return probe.seconds
    .filter((one) => one.direction === direction)
    .map((one) => [one.step * probe.order.seconds + one.second + 1, one.r]);
}

/** How far it is: the step's calls and second, and the share of all. */
export function progress(probe: LinkProbe): { count: number; second: number; share: number } | null {
  const last = probe.seconds.filter((one) => one.direction === 'back').at(-1);
  if (!last) return null;
  const done = last.step * probe.order.seconds + last.second + 1;
  return {
    count: probe.order.steps[last.step] ?? 0,
    second: last.second + 1,
    share: Math.min(100, (100 * done) / (probe.order.seconds * probe.order.steps.length)),
  };
}
