import { describe, expect, it } from 'vitest';
import { nextSort } from '../src/kit/table';
import { allows, homeOf } from '../src/router/access';
import { pages } from '../src/router/pages';

describe('access', () => {
  it('keeps call records from technicians and configuration from agents', () => {
    expect(allows('agent', 'technician')).toBe(false);
    expect(allows('technician', 'technician')).toBe(true);
    expect(allows('technician', 'agent')).toBe(false);
    expect(allows('supervisor', 'agent')).toBe(false);
    expect(allows('admin', 'supervisor')).toBe(false);
  });
  it('lets every role open its own home', () => {
    for (const role of ['admin', 'supervisor', 'agent', 'technician'] as const) {
      const home = pages.find((page) => page.path === homeOf(role));
      expect(home && allows(home.meta?.access ?? 'any', role)).toBe(true);
    }
  });
});

describe('sorting', () => {
  it('begins with the largest and turns round', () => {
    expect([nextSort('', 'talk_ms'), nextSort('-talk_ms', 'talk_ms'), nextSort('talk_ms', 'talk_ms')]).toEqual([
      '-talk_ms',
      'talk_ms',
      '-talk_ms',
    ]);
  });
});
