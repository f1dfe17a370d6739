/** When a waiting time turns yellow and red, ms: the service level most centres promise, and three times that. */
export const WAIT_WARN_MS = 20_000;
export const WAIT_BAD_MS = 60_000;

export type Level = 'calm' | 'warn' | 'bad';

export function waitLevel(ms: number): Level {
  if (ms >= WAIT_BAD_MS) return 'bad';
  return ms >= WAIT_WARN_MS ? 'warn' : 'calm';
}

/** Share of today's finished calls that were lost: from 5 % yellow, from 10 % red. */
export function lostLevel(answered: number, lost: number): Level {
  const share = lost / Math.max(1, answered + lost);
  if (share >= 0.1) return 'bad';
  return share >= 0.05 ? 'warn' : 'calm';
}
