import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import en from '../src/locales/en';
import zh from '../src/locales/zh';

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
