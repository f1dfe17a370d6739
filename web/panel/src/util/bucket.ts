import type { ReportBy } from '@sa800/sdk';

/** The bucket as it stands on the axis and in the table; the zone is the site's, as the box wrote it. */
export function bucketText(bucket: string, by: ReportBy): string {
  if (by === 'hour') return `${bucket.slice(5, 10)} ${bucket.slice(11, 16)}`;
  return by === 'hour_of_day' ? `${bucket.padStart(2, '0')}:00` : bucket;
}
