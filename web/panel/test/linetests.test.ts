import type { Figure, LineTest } from '@sa800/sdk';
import { describe, expect, it } from 'vitest';
import { dots, limitWords, series, shown } from '../src/pages/lines/tests/figures';

const noise: Figure = { name: 'noise', value: -61.234, unit: 'dBm0p', verdict: 'good', good: [-1000, -60], bad: null };
const rate: Figure = {
  name: 'error_rate',
  value: 0.00002,
  unit: '',
  verdict: 'borderline',
  good: [0, 1e-6],
  bad: null,
};

function test(began_at: string, value: number | null, kind: LineTest['kind'] = 'noise'): LineTest {
  return { began_at, kind, figures: [{ ...noise, value }] } as LineTest;
}

describe('figures', () => {
  it('are told with their unit, error rates as powers of ten', () => {
    expect(shown(noise)).toBe('-61.2 dBm0p');
    expect(shown(rate)).toBe('2.0e-5');
    expect(shown({ ...rate, value: 0 })).toBe('0');
    expect(shown({ ...noise, value: null })).toBe('');
  });
  it('have limits on one side or on both', () => {
    expect(limitWords(noise)).toMatchObject({ key: 'linetests.atMost', most: '-60 dBm0p' });
    expect(limitWords(rate)).toMatchObject({ key: 'linetests.atMost', most: '1.0e-6' });
    expect(limitWords({ ...noise, good: [18, 1000] })).toMatchObject({ key: 'linetests.atLeast', least: '18 dBm0p' });
    expect(limitWords({ ...noise, good: [-3, 9] })).toMatchObject({ key: 'linetests.between' });
    expect(limitWords({ ...noise, good: null })).toBeNull();
  });
  it('go over time, oldest first, of one kind', () => {
    const tests = [test('3', -60), test('2', null), test('2', -50, 'level'), test('1', -70)];
    expect(series(tests, 'noise', 30).map((one) => one.at)).toEqual(['1', '3']);
    expect(series(tests, 'noise', 1).map((one) => one.at)).toEqual(['3']);
  });
  it('lie on the chart between its edges', () => {
    expect(dots([-70, -60], 100, 40)).toEqual([
      { x: 0, y: 40 },
      { x: 100, y: 0 },
    ]);
    expect(dots([5, 5, 5], 100, 40).map((dot) => dot.y)).toEqual([20, 20, 20]);
    expect(dots([5], 100, 40)).toEqual([{ x: 50, y: 20 }]);
  });
});
