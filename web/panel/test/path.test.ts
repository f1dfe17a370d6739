import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MediaPath } from '../src/phone/path';

const said: string[] = [];
let path: MediaPath;

beforeEach(() => {
  vi.useFakeTimers();
  said.length = 0;
  path = new MediaPath({
    restart: () => said.push('restart'),
    mending: (on) => said.push(on ? 'lost' : 'back'),
    giveUp: () => said.push('over'),
  });
});

afterEach(() => vi.useRealTimers());

const feed = (state: RTCIceConnectionState, credentials = 'first', addresses = 'a-b') =>
  path.feed({ state, credentials, addresses });

function talk(): void {
  feed('checking');
  feed('connected', 'first', 'x-b');
  feed('connected');
  vi.advanceTimersByTime(5_000);
}

test('both ends choose their way at the beginning; one that flickers is left alone', () => {
  talk();
  feed('disconnected');
  vi.advanceTimersByTime(1_900);
  feed('connected');
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual([]);
});

test('a way that stays away is looked for until it is back', () => {
  talk();
  feed('disconnected');
  vi.advanceTimersByTime(2_000);
  expect(said).toEqual(['lost', 'restart']);
  expect(path.isLost).toBe(true);
  feed('checking');
  feed('disconnected');
  vi.advanceTimersByTime(4_000);
  expect(said).toEqual(['lost', 'restart', 'restart']);
  feed('connected');
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(['lost', 'restart', 'restart', 'back']);
  expect(path.isLost).toBe(false);
});

test('a way that comes and goes before it has settled counts as one loss', () => {
  talk();
  feed('failed');
  for (let times = 0; times < 40; times += 1) {
    vi.advanceTimersByTime(1_500);
    feed('connected', 'second');
    vi.advanceTimersByTime(1_500);
    feed('failed');
  }
  expect(said.filter((word) => word === 'lost')).toHaveLength(1);
  expect(said.filter((word) => word === 'restart')).toHaveLength(10);
  expect(said).toContain('over');
});

test('a browser that goes another way alone is brought back by new credentials', () => {
  talk();
  feed('connected', 'first', 'c-b');
  expect(said).toEqual(['lost', 'restart']);
  feed('connected', 'first', 'd-b');
  expect(said).toEqual(['lost', 'restart']);
  feed('connected', 'second', 'c-b');
  feed('connected', 'second', 'd-b');
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(['lost', 'restart', 'back']);
  feed('connected', 'second', 'c-b');
  expect(said.slice(3)).toEqual(['lost', 'restart']);
});

test('a failure is acted on at once, but once', () => {
  feed('failed');
  feed('failed');
  expect(said).toEqual(['lost', 'restart']);
});

test('the search ends', () => {
  feed('failed');
  vi.advanceTimersByTime(120_000);
  expect(said.filter((word) => word === 'restart')).toHaveLength(10);
  expect(said.filter((word) => word === 'over')).toHaveLength(1);
  expect(said.at(-1)).toBe('over');
});

test('a later loss has all tries again', () => {
  feed('failed');
  vi.advanceTimersByTime(30_000);
  feed('completed');
  vi.advanceTimersByTime(2_000);
  said.length = 0;
  feed('failed');
  vi.advanceTimersByTime(38_000);
  expect(said).not.toContain('over');
});

test('nothing happens after the call', () => {
  talk();
  feed('disconnected');
  path.stop();
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual([]);
});
