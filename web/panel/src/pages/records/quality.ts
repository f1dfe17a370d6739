import type { QualityWindows } from '@sa800/sdk';

export const SHOWN = ['r', 'loss', 'jitter', 'rtt', 'buffer'] as const;
export type Shown = (typeof SHOWN)[number];

const BLUE = '#1f5eff';
const GREEN = '#2c9c74';
const RED = '#d8574d';

type Values = (number | null)[];
/** Milliseconds of its window's middle, and the value. */
type Point = [number, number | null];

interface Line {
  /** Key of its name below `quality.`. */
  name: string;
  color: string;
  points: Point[];
}

/** What is drawn of a leg's windows. */
export function lines(windows: QualityWindows, windowS: number, shown: Shown): Line[] {
  const line = (name: string, color: string, values: Values): Line => {
    return { name, color, points: points(windows.at, values, windowS * 1000) };
  };
  const pair = (came: Values, went: Values) => [line('came', BLUE, came), line('went', GREEN, went)];
  switch (shown) {
    case 'r':
      return pair(windows.r_came, windows.r_went);
    case 'loss':
      return pair(windows.loss_came.map(hundredfold), windows.loss_went.map(hundredfold));
    case 'jitter':
      return pair(windows.jitter_came_ms, windows.jitter_went_ms);
    case 'rtt':
      return [line('rtt', BLUE, windows.rtt_ms)];
    case 'buffer':
      return [line('held', BLUE, windows.buffer_ms), line('concealed', RED, windows.concealed.map(hundredfold))];
  }
}

function hundredfold(share: number | null): number | null {
  return share === null ? null : Math.round(share * 1e4) / 100;
}

/** Where windows are missing between two, an empty point breaks the line. */
function points(at: string[], values: Values, windowMs: number): Point[] {
  const found: Point[] = [];
  at.forEach((moment, index) => {
    const time = Date.parse(moment) + windowMs / 2;
    const before = found.at(-1);
    if (before && time - before[0] > windowMs) found.push([before[0] + windowMs, null]);
    found.push([time, values[index] ?? null]);
  });
  return found;
}
