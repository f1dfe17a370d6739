import type { FieldError, Sa800Error } from '@sa800/sdk';
import { i18n } from '@/i18n';

/** Keys whose English sentence says what a person needs and no word of ours can: a name, a number, a reason. */
export const TELLING: ReadonlySet<string> = new Set([
  'ari.refused',
  'asterisk.refused',
  'calls.refused',
  'calls.unknown_number',
  'cards.refused',
  'config.disk',
  'config.line_busy',
  'config.unreadable',
  'internal',
  'lines.away',
  'lines.block_failed',
  'lines.driver',
  'lines.in_call',
  'lines.test_order',
  'panel.unexpected',
  'prompt.conversion_unavailable',
  'prompt.speech_failed',
  'prompt.speech_unavailable',
  'prompt.too_long',
  'records.too_many',
  'seats.taken',
  'session.extension_taken',
  'session.too_many',
  'user.extension_taken',
]);

/** `own`: the sentence of the box below ours; '' where ours says all. */
export interface ErrorWords {
  message: string;
  hint: string;
  own: string;
}

/** An error for people: ours for keys that we know (locales/…/errors.json), the box's own words otherwise. */
export function errorWords({ key, message, hint }: Pick<Sa800Error, 'key' | 'message' | 'hint'>): ErrorWords {
  const { t, te } = i18n.global;
  const name = key.replaceAll('.', '_');
  if (!te(`errors.${name}`)) return { message, hint, own: '' };
  return {
    message: t(`errors.${name}`),
    hint: te(`hints.${name}`) ? t(`hints.${name}`) : '',
    own: TELLING.has(key) ? message : '',
  };
}

/** What the box's checker says in English about single fields, and the words for it here. `{0}` is its number. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/at least (\d+) characters?/, 'faults.short'],
  [/at most (\d+) characters?/, 'faults.long'],
  [/should match pattern/, 'faults.pattern'],
  [/greater than or equal to (-?\d+)/, 'faults.least'],
  [/less than or equal to (-?\d+)/, 'faults.most'],
  [/[Ff]ield required/, 'faults.required'],
  [/at least (\d+) items?/, 'faults.few'],
  [/at most (\d+) days/, 'faults.days'],
  [/must be after/, 'faults.after'],
];

/** A field's fault for people: ours by its key (locales/…/field_faults.json) or where we know its sentence, the box's own
 * words otherwise. */
export function faultText({ key, values, message }: Omit<FieldError, 'path'>): string {
  if (key && i18n.global.te(`field_faults.${key}`)) return i18n.global.t(`field_faults.${key}`, { ...values });
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(message);
    if (found) return i18n.global.t(key, { number: found[1] ?? '' });
  }
  return message;
}
