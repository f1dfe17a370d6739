import type { Figure, LineTest } from '@sa800/sdk';

/** Beyond this a limit is none (docs/api.md). */
const FAR = 1000;

/** A figure as people read it; error rates as powers of ten. */
export function shown(figure: Figure): string {
  const { value, unit } = figure;
  if (value === null) return '';
  const text = figure.name === 'error_rate' && value > 0 ? value.toExponential(1) : String(Math.round(value * 10) / 10);
  return unit ? `${text} ${unit}` : text;
}

/** Which words tell the limits, and their numbers; null where there are none. */
export function limitWords(figure: Figure): { key: string; least: string; most: string } | null {
  if (!figure.good) return null;
  const [least, most] = figure.good;
  const key = least <= -FAR || figure.name === 'error_rate' ? 'atMost' : most >= FAR ? 'atLeast' : 'between';
  const text = (limit: number) => shown({ ...figure, value: limit });
  return { key: `linetests.${key}`, least: text(least), most: text(most) };
}

/** The first figure of each test of this kind that has one, oldest first. */
export function series(tests: LineTest[], kind: LineTest['kind'], most: number): { at: string; figure: Figure }[] {
  return tests
    .filter((test) => test.kind === kind && test.figures[0] && test.figures[0].value !== null)
    .slice(0, most)
    .reverse()
    .map((test) => ({ at: test.began_at, figure: test.figures[0] as Figure }));
}

export interface Dot {
  x: number;
  y: number;
}

/** Where the values lie on a chart of this size; a flat series lies in the middle. */
export function dots(values: number[], width: number, height: number): Dot[] {
  const least = Math.min(...values);
  const range = Math.max(...values) - least;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values.map((value, place) => ({
    x: values.length > 1 ? place * step : width / 2,
    y: range ? height - ((value - least) / range) * height : height / 2,
  }));
}
