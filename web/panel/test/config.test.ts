import { createPinia, setActivePinia } from 'pinia';
import { expect, test, vi } from 'vitest';

const asked: ((state: object) => void)[] = [];
vi.mock('../src/api', () => ({
  api: { config: { get: () => new Promise((done) => asked.push(done)) } },
  onTraffic: () => undefined,
}));

test('who asks while an answer is under way gets one that was asked for later', async () => {
  setActivePinia(createPinia());
  const { useConfig } = await import('../src/stores/config');
  const config = useConfig();
  const answered = (revision: number) => ({ revision, changed: false, document: {}, active_job: null });
  const first = config.load();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  // The apply ends here: the first answer may still say that something waits.
  const second = config.load();
  const third = config.load();
  asked[0]?.(answered(1));
  await first;
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  asked[1]?.(answered(2));
  await Promise.all([second, third]);
  expect(config.state?.revision).toBe(2);
  expect(asked).toHaveLength(2);
});
