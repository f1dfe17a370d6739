import { dayStart, shiftDay, siteClock, siteZone } from './zone';

/** 65 000 ms → "1:05"; hours when there are any. Negative (clocks differ) shows as 0:00. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** 0.8375 → "83.8 %"; null (no calls) → "–". */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(share * 100).toFixed(1)}%`;
}

/** RFC 3339 → "2026-11-22 16:00:05" in the site's time zone. */
export function dateTime(at: string, withSeconds = true): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  return siteClock(date).slice(0, withSeconds ? 19 : 16);
}

/** Start of the site's day `days` before today, as RFC 3339. */
export function startOfDay(days = 0): string {
  const day = shiftDay(siteClock(new Date()).slice(0, 10), -days);
  return dayStart(day, siteZone()).toISOString();
}

/** ["main:2", "night:1"] → "主菜单 → 2 → 夜间 → 1". */
export function menuPath(path: readonly string[], names: Record<string, string>): string {
  const steps = path.flatMap((choice) => {
    const [id = '', digit = ''] = choice.split(':');
    return [names[id] ?? id, digit];
  });
  return steps.join(' → ');
}
