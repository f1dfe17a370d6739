import type { LinkFigures, LinkProbe, LinkStep } from '@sa800/sdk';
import { describe, expect, it } from 'vitest';
import { busy, conclusion, progress, rows, series } from '../src/pages/links/links';

const figures = (change: Partial<LinkFigures> = {}): LinkFigures => ({
  r: 92,
  mos: 4.4,
  loss_pct: 0,
  made_up_pct: 0,
  network_ms: 15,
  buffer_ms: 20,
  delay_ms: 55,
  jitter_ms: 1,
  late_ms: 0.2,
  latest_ms: 2,
  missed_pct: 0,
  verdict: 'good',
  because: 'delay',
  ...change,
});
const step = (place: number, streams: number, change: Partial<LinkStep> = {}): LinkStep => ({
  step: place,
  streams,
  seconds: 10,
  verdict: 'good',
  worst: 'out',
  out: figures(),
  back: figures(),
  ...change,
});
const probe = (change: Partial<LinkProbe>): LinkProbe =>
  ({ order: { steps: [1, 10, 30], seconds: 10 }, seconds: [], steps: [], ...change }) as LinkProbe;

describe('conclusion', () => {
  it('is the most calls that are good', () => {
    expect(conclusion([step(0, 1), step(1, 10), step(2, 30)])).toEqual({ good: 30, worse: null });
  });
  it('names the first step that is not', () => {
    const bad = step(1, 10, { verdict: 'bad' });
    expect(conclusion([step(0, 1), bad, step(2, 30, { verdict: 'bad' })])).toEqual({ good: 1, worse: bad });
  });
  it('does not call more calls good than those that were bad', () => {
    const bad = step(0, 1, { verdict: 'borderline' });
    expect(conclusion([bad, step(1, 10)])).toEqual({ good: null, worse: bad });
    expect(conclusion([])).toEqual({ good: null, worse: null });
  });
});

describe('figures', () => {
  it('are a row for each direction that was told', () => {
    expect(rows([step(0, 1), step(1, 10, { back: null })]).map((row) => row.key)).toEqual(['0-out', '0-back', '1-out']);
  });
  it('tell when a box was busy', () => {
    expect(busy([step(0, 1)])).toBeNull();
    expect(busy([step(0, 1, { back: figures({ late_ms: 12.34 }) })])).toEqual({ late: '12.3', missed: '0.0' });
    expect(busy([step(0, 1, { out: figures({ missed_pct: 2 }) })])).toEqual({ late: '0.2', missed: '2.0' });
  });
});

describe('a probe over time', () => {
  const seconds = [
    { ...figures({ r: 91 }), direction: 'out' as const, step: 0, second: 0 },
    { ...figures({ r: 92 }), direction: 'back' as const, step: 0, second: 0 },
    { ...figures({ r: 60 }), direction: 'back' as const, step: 1, second: 4 },
  ];
  it('stands where its step stands', () => {
    expect(series(probe({ seconds }), 'back')).toEqual([
      [1, 92],
      [15, 60],
    ]);
  });
  it('is so far', () => {
    expect(progress(probe({ seconds }))).toEqual({ count: 10, second: 5, share: 50 });
    expect(progress(probe({}))).toBeNull();
  });
});
