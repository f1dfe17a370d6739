import { i18n } from '@/i18n';

/** What the box's checker says in English about single fields, and the words for it here. `{0}` is its number. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/at least (\d+) characters?/, 'faults.short'],
  [/at most (\d+) characters?/, 'faults.long'],
  [/should match pattern/, 'faults.pattern'],
  [/greater than or equal to (-?\d+)/, 'faults.least'],
  [/less than or equal to (-?\d+)/, 'faults.most'],
  [/[Ff]ield required/, 'faults.required'],
  [/at least (\d+) items?/, 'faults.few'],
];

/** A field's fault for people: ours where we know it, the box's own words otherwise. */
export function faultText(message: string): string {
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(message);
    if (found) return i18n.global.t(key, { number: found[1] ?? '' });
  }
  return message;
}
