import type { QualityFigures } from '@sa800/sdk';
import { percent } from '@/util/format';

export const FIGURES = [
  'legs',
  'minutes',
  'r_came',
  'r_went',
  'poor',
  'loss_came',
  'loss_went',
  'jitter_came_ms',
  'jitter_went_ms',
  'rtt_ms',
  'concealed',
] as const;
export type Figure = (typeof FIGURES)[number];
const SHARES: readonly Figure[] = ['poor', 'loss_came', 'loss_went', 'concealed'];

/** One figure for people; "–" where nobody told. */
export function figureText(figures: QualityFigures, figure: Figure): string {
  const value = figures[figure];
  if (value === null) return '–';
  if (SHARES.includes(figure)) return percent(value);
  if (figure === 'legs') return String(value);
  return figure.endsWith('_ms') ? `${value.toFixed(1)} ms` : value.toFixed(1);
}

/** R of the worse direction, null where neither is known. */
export function worst(figures: QualityFigures): number | null {
  const known = [figures.r_came, figures.r_went].filter((r) => r !== null);
  return known.length ? Math.min(...known) : null;
}
