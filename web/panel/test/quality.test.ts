import type { QualityFigures, QualityWindows } from '@sa800/sdk';
import { describe, expect, it } from 'vitest';
import { figureText, worst } from '../src/pages/quality/quality';
import { lines } from '../src/pages/records/quality';

const unknown: (number | null)[] = [null, null, null];
const windows: QualityWindows = {
  at: ['2026-11-23T08:00:00.000Z', '2026-11-23T08:00:10.000Z', '2026-11-23T08:00:50.000Z'],
  r_came: [91.5, 43.4, 91.5],
  r_went: unknown,
  mos_came: [4.4, 2.2, 4.4],
  mos_went: unknown,
  loss_came: [0, 0.2, 0.0004],
  loss_went: unknown,
  jitter_came_ms: [1, 12, 1],
  jitter_went_ms: unknown,
  rtt_ms: [20, null, 20],
  concealed: [null, 0.25, 0],
  buffer_ms: [null, 80, 60],
};
const figures = { r_came: 91.5, r_went: 67.5, poor: 0.05, rtt_ms: 20, legs: 3, concealed: null } as QualityFigures;

describe('lines of a leg', () => {
  it('break where windows are missing', () => {
    const [came, went] = lines(windows, 10, 'r');
    expect(came?.points.map(([, value]) => value)).toEqual([91.5, 43.4, null, 91.5]);
    expect(went?.points.every(([, value]) => value === null)).toBe(true);
  });
  it('stand in the middle of their windows', () => {
    expect(lines(windows, 10, 'jitter')[0]?.points[0]?.[0]).toBe(Date.parse('2026-11-23T08:00:05Z'));
  });
  it('show shares as per cent', () => {
    expect(lines(windows, 10, 'loss')[0]?.points.map(([, value]) => value)).toEqual([0, 20, null, 0.04]);
    expect(lines(windows, 10, 'buffer').map((line) => line.points[1]?.[1])).toEqual([80, 25]);
  });
});

describe('figures', () => {
  it('are told in their units, and what nobody told is no zero', () => {
    expect(figureText(figures, 'poor')).toBe('5.0%');
    expect(figureText(figures, 'rtt_ms')).toBe('20.0 ms');
    expect(figureText(figures, 'legs')).toBe('3');
    expect(figureText({ ...figures, r_came: 54, minutes: 1 }, 'r_came')).toBe('54.0');
    expect(figureText({ ...figures, r_came: 54, minutes: 1 }, 'minutes')).toBe('1.0');
    expect(figureText(figures, 'concealed')).toBe('–');
  });
  it('are judged by the worse direction', () => {
    expect(worst(figures)).toBe(67.5);
    expect(worst({ ...figures, r_went: null })).toBe(91.5);
    expect(worst({ ...figures, r_came: null, r_went: null })).toBeNull();
  });
});
