import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { i18n } from '../src/i18n';
import en from '../src/locales/en';
import zh from '../src/locales/zh';
import { errorWords, faultText, TELLING } from '../src/util/faults';

const SRC = join(import.meta.dirname, '../src');

function keys(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return [path];
  return Object.entries(value as object).flatMap(([key, inner]) => keys(inner, path ? `${path}.${key}` : key));
}

function texts(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(value as object).flatMap(texts);
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const path = join(folder, item.name);
    return item.isDirectory() ? files(path) : [path];
  });
}

function used(): Set<string> {
  const found = new Set<string>();
  for (const file of files(SRC).filter((name) => /\.(vue|ts)$/.test(name) && !name.includes('locales'))) {
    for (const match of readFileSync(file, 'utf8').matchAll(/\bt\('([a-zA-Z_.]+)'/g)) found.add(match[1] ?? '');
  }
  return found;
}

describe('words', () => {
  it('are the same keys in both languages', () => {
    expect(keys(zh).sort()).toEqual(keys(en).sort());
  });
  it('exist for every key the pages name', () => {
    const known = new Set(keys(zh));
    expect([...used()].filter((key) => !known.has(key))).toEqual([]);
  });
  it('have Chinese punctuation in Chinese', () => {
    expect(JSON.stringify(zh).match(/[^"]*([\u4e00-\u9fff”）}][,?](?!")|[,?][\u4e00-\u9fff])[^"]*/g)).toBeNull();
    const half = (text: string): boolean => /[\u4e00-\u9fff]/.test(text) && /[()]|[\u4e00-\u9fff）][:;!]/.test(text);
    expect(texts(zh).filter(half)).toEqual([]);
  });
  it('are never empty', () => {
    for (const language of [zh, en]) {
      const values = JSON.stringify(language);
      expect(values).not.toContain('""');
    }
  });
});

describe('words of errors', () => {
  i18n.global.setLocaleMessage('zh', zh);
  const told = (key: string) => errorWords({ key, message: 'The box says.', hint: 'Do this.' });

  it('are ours where the key is known, and no English stands beside them', () => {
    expect(told('seats.no_extension')).toEqual({
      message: '没有用来接听的分机',
      hint: '请在登录时选择分机，或请管理员分配。',
      own: '',
    });
    expect(told('user.unknown')).toEqual({ message: '没有这个用户', hint: '', own: '' });
  });
  it('have the sentence of the box below them where it tells more', () => {
    expect(told('seats.taken').own).toBe('The box says.');
  });
  it('are the ones of the box where the key is new', () => {
    expect(told('new.key')).toEqual({ message: 'The box says.', hint: 'Do this.', own: '' });
  });
  it('exist for every error whose own sentence is shown', () => {
    const known = new Set(Object.keys(zh.errors));
    expect([...TELLING].filter((key) => !known.has(key.replaceAll('.', '_')))).toEqual([]);
  });
});

describe('words of fields', () => {
  const field = { message: 'The box says.', key: 'few_ports', values: { first: 10000, last: 10009, least: 40 } };
  it('are ours by the key, with what the box tells', () => {
    expect(faultText(field)).toBe('10000–10009 的语音端口太少，至少需要 40 个');
  });
  it('are ours for a sentence of the checker that we know', () => {
    const message = 'String should have at least 3 characters';
    expect(faultText({ message, key: '', values: {} })).toBe('至少 3 个字符');
  });
  it('are the ones of the box where the key is new', () => {
    expect(faultText({ ...field, key: 'new' })).toBe('The box says.');
  });
});
