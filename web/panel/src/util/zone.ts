/** What the pages show times in: the site's zone, wherever they are opened. This computer's until somebody logs in. */
let site = new Intl.DateTimeFormat().resolvedOptions().timeZone;
let format = clock(site);

function clock(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
}

export function setSiteZone(zone: string): void {
  format = clock(zone);
  site = zone;
}

export function siteZone(): string {
  return site;
}

/** "2026-11-22 16:00:05" at the site. */
export function siteClock(date: Date): string {
  return format.format(date);
}

/** Minutes that the clocks of `zone` are ahead of UTC at `date`. */
function aheadMinutes(date: Date, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const part = Object.fromEntries(format.formatToParts(date).map((item) => [item.type, Number(item.value)]));
  const shown = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute);
  return Math.round((shown - date.getTime()) / 60_000);
}

/** The moment a day ("2026-11-22") begins in an IANA zone. Right on days when clocks change, too. */
export function dayStart(day: string, zone: string): Date {
  const asUtc = new Date(`${day}T00:00:00Z`);
  const guess = new Date(asUtc.getTime() - aheadMinutes(asUtc, zone) * 60_000);
  return new Date(asUtc.getTime() - aheadMinutes(guess, zone) * 60_000);
}

/** ("2026-12-31", 1) → "2027-01-01". */
export function shiftDay(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The day after: "2026-12-31" → "2027-01-01". */
export function nextDay(day: string): string {
  return shiftDay(day, 1);
}
