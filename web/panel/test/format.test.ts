import { describe, expect, it, vi } from 'vitest';
import { lostLevel, waitLevel } from '../src/pages/board/levels';
import { loudest } from '../src/pages/records/waveform';
import { bucketRange, figureText, reportCsv } from '../src/pages/reports/report';
import { bucketText } from '../src/util/bucket';
import { dateTime, duration, menuPath, percent, startOfDay } from '../src/util/format';
import { setSiteZone } from '../src/util/zone';

const FIGURES = {
  offered: 4,
  answered: 3,
  lost: 1,
  lost_rate: 0.25,
  avg_wait_ms: 61_000,
  max_wait_ms: 3_601_000,
  avg_talk_ms: null,
  service_level: null,
};

describe('durations and shares', () => {
  it('show minutes, hours when there are any, and never less than nothing', () => {
    expect([0, 999, 61_000, 3_601_000, -5_000].map(duration)).toEqual(['0:00', '0:00', '1:01', '1:00:01', '0:00']);
  });
  it('tell nothing counted from zero', () => {
    expect([percent(0), percent(0.8375), percent(null)]).toEqual(['0.0%', '83.8%', '–']);
  });
});

describe('times at the site', () => {
  it('are shown in its zone, and its days begin there', () => {
    vi.useFakeTimers({ now: new Date('2026-11-22T22:37:52Z') });
    setSiteZone('Asia/Shanghai');
    expect(dateTime('2026-11-22T22:37:52.123Z')).toBe('2026-11-23 06:37:52');
    expect(dateTime('2026-11-22T22:37:52.123Z', false)).toBe('2026-11-23 06:37');
    expect([startOfDay(), startOfDay(1)]).toEqual(['2026-11-22T16:00:00.000Z', '2026-11-21T16:00:00.000Z']);
    setSiteZone('America/New_York');
    expect(startOfDay(-1)).toBe('2026-11-23T05:00:00.000Z');
    vi.useRealTimers();
  });
});

describe('the way through menus', () => {
  it('reads by their names, and by the id where there is none any more', () => {
    expect(menuPath(['main:2', 'old:1'], { main: '主菜单' })).toBe('主菜单 → 2 → old → 1');
  });
});

describe('report', () => {
  it('drills an hour of the site to the same hour in UTC', () => {
    expect(bucketRange('2026-11-22T08:00:00+08:00', 'hour', 'UTC')).toEqual({
      from: '2026-11-22T00:00:00.000Z',
      to: '2026-11-22T01:00:00.000Z',
    });
    expect(bucketRange('08', 'hour_of_day', 'UTC')).toBeNull();
  });
  it('drills a day of the site, whatever zone the browser is in, also when clocks change', () => {
    const hours = (day: string, zone: string) => {
      const range = bucketRange(day, 'day', zone);
      return range && [range.from, (Date.parse(range.to) - Date.parse(range.from)) / 3_600_000];
    };
    expect(hours('2026-11-22', 'Asia/Shanghai')).toEqual(['2026-11-21T16:00:00.000Z', 24]);
    expect(hours('2026-10-25', 'Europe/Berlin')).toEqual(['2026-10-24T22:00:00.000Z', 25]);
    expect(hours('2026-03-29', 'Europe/Berlin')).toEqual(['2026-03-28T23:00:00.000Z', 23]);
  });
  it('names buckets in the zone of the site', () => {
    expect(bucketText('2026-11-22T08:00:00+08:00', 'hour')).toBe('11-22 08:00');
    expect(bucketText('8', 'hour_of_day')).toBe('08:00');
  });
  it('writes figures for people', () => {
    expect([
      figureText(FIGURES, 'lost_rate'),
      figureText(FIGURES, 'avg_wait_ms'),
      figureText(FIGURES, 'avg_talk_ms'),
    ]).toEqual(['25.0%', '1:01', '–']);
  });
  it('exports raw figures and keeps quotes inside cells', () => {
    const csv = reportCsv(
      { rows: [{ bucket: '2026-11-22', ...FIGURES }], total: FIGURES, definitions: {}, timezone: 'UTC' },
      (key) => `"${key}"`,
    );
    expect(csv.split('\r\n')[0]).toContain('"""bucket"""');
    expect(csv).toContain('"2026-11-22","4","3","1","0.25","61000","3601000","",""');
  });
});

describe('levels', () => {
  it('turn yellow at 20 s and red at 60 s', () => {
    expect([19_999, 20_000, 60_000].map(waitLevel)).toEqual(['calm', 'warn', 'bad']);
  });
  it('do not cry before the first call', () => {
    expect([lostLevel(0, 0), lostLevel(95, 5), lostLevel(9, 1)]).toEqual(['calm', 'warn', 'bad']);
  });
});

describe('waveform', () => {
  it('keeps the loudest point of a stretch and survives silence', () => {
    expect(loudest([0, 0.2, 0.9, 0.1], 0.5, 1)).toBe(0.9);
    expect(loudest([], 0, 1)).toBe(0);
    expect(loudest([7], 0, 0.5)).toBe(1);
  });
});
