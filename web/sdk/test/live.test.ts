import { describe, expect, it } from 'vitest';
import { EMPTY_LIVE, fold, fromSnapshot } from '../src/index.js';
import { call, SNAPSHOT, seat } from './fixtures.js';

describe('live state', () => {
  it('sets, replaces and removes', () => {
    let state = fromSnapshot(SNAPSHOT);
    state = fold(state, { set: { calls: [call('c1', 'queue'), call('c2', 'menu')] }, at: 't1' });
    expect([...state.calls.values()].map((c) => [c.call_id, c.state])).toEqual([
      ['c1', 'queue'],
      ['c2', 'menu'],
    ]);
    state = fold(state, { gone: { calls: ['c1', 'unknown'] }, at: 't2' });
    expect([...state.calls.keys()]).toEqual(['c2']);
    expect(state.at).toBe('t2');
  });

  it('keeps what a change does not name, by identity', () => {
    const before = fromSnapshot(SNAPSHOT);
    const after = fold(before, { set: { seats: [seat('u1', 'talking')] }, at: 't1' });
    expect(after.calls).toBe(before.calls);
    expect(after.seats).not.toBe(before.seats);
    expect(before.seats.get('u1')?.state).toBe('idle');
    expect(after.seats.get('u2')).toBe(before.seats.get('u2'));
  });

  it('lets gone win over set, so that no phantom stays', () => {
    const state = fold(EMPTY_LIVE, { set: { calls: [call('c9', 'talking')] }, gone: { calls: ['c9'] }, at: 't' });
    expect(state.calls.size).toBe(0);
  });

  it('starts anew from a snapshot', () => {
    const full = fromSnapshot(SNAPSHOT);
    const state = fromSnapshot({ ...SNAPSHOT, calls: [], seats: [] });
    expect(full.calls.size).toBe(1);
    expect(state.calls.size + state.seats.size).toBe(0);
  });
});
