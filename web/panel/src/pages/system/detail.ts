import { i18n } from '@/i18n';
import { dateTime } from '@/util/format';

const { t, te } = i18n.global;

/** {"user": "lily", "role": "agent", "was": null} → "用户: lily · 角色: 坐席": what a machine noted, for people to read. */
export function tell(detail: unknown): string {
  if (detail === null || detail === undefined) return '';
  if (typeof detail !== 'object') return String(detail);
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${word(`detail.key.${key}`, key)}: ${said(key, value)}`)
    .join(' · ');
}

const MOMENT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** A value whose words belong to its key (`role`, `when`); a moment, an error, a path in the configuration; or as it is. */
function said(key: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => word(`detail.key.${item}`, String(item))).join('、');
  if (typeof value === 'object') return JSON.stringify(value);
  const text = String(value);
  if (MOMENT.test(text)) return dateTime(text);
  if (key === 'end' && text.includes('.')) return word(`errors.${text.replaceAll('.', '_')}`, text);
  if (key === 'path') return text.split('/').map(part).join(' / ');
  return word(`detail.${key}.${text}`, word(`${key}.${text}`, text));
}

function part(name: string): string {
  return word(`detail.key.${name}`, word(`fields.${name}`, name));
}

function word(key: string, otherwise: string): string {
  return te(key) ? t(key) : otherwise;
}
