import type { CallReport, ReportBy, ReportFigures } from '@sa800/sdk';
import { duration, percent } from '@/util/format';
import { dayStart, nextDay } from '@/util/zone';

export const FIGURES = [
  'offered',
  'answered',
  'lost',
  'lost_rate',
  'avg_wait_ms',
  'max_wait_ms',
  'avg_talk_ms',
  'service_level',
] as const;
export type Figure = (typeof FIGURES)[number];

/** One figure for people: a count, a share or a time; "–" where nothing was counted. */
export function figureText(figures: ReportFigures, figure: Figure): string {
  const value = figures[figure];
  if (value === null || value === undefined) return '–';
  if (figure === 'lost_rate' || figure === 'service_level') return percent(value);
  return figure.endsWith('_ms') ? duration(value) : String(value);
}

/** From and to of a bucket for the records; null where a bucket is not one stretch of time (hour of day). */
export function bucketRange(bucket: string, by: ReportBy, zone: string): { from: string; to: string } | null {
  if (by === 'hour_of_day') return null;
  if (by === 'hour') {
    const from = new Date(bucket);
    return { from: from.toISOString(), to: new Date(from.getTime() + 3_600_000).toISOString() };
  }
  return { from: dayStart(bucket, zone).toISOString(), to: dayStart(nextDay(bucket), zone).toISOString() };
}

/** CSV with raw figures (milliseconds, shares) and their names in the page's language. */
export function reportCsv(report: CallReport, nameOf: (key: string) => string): string {
  const line = (cells: unknown[]) => cells.map((cell) => `"${String(cell ?? '').replaceAll('"', '""')}"`).join(',');
  const rows = report.rows.map((row) => line([row.bucket, ...FIGURES.map((figure) => row[figure])]));
  const head = line([nameOf('bucket'), ...FIGURES.map((figure) => nameOf(figure))]);
  const total = line([nameOf('total'), ...FIGURES.map((figure) => report.total[figure])]);
  return [head, ...rows, total, ''].join('\r\n');
}

/** Gives a text to the person as a file. The mark at its start makes spreadsheets read it as UTF-8. */
export function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob(['\uFEFF', text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
