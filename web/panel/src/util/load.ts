import { Sa800Error } from '@sa800/sdk';
import { onScopeDispose, ref, shallowRef } from 'vue';

export function asError(reason: unknown): Sa800Error {
  if (reason instanceof Sa800Error) return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  return new Sa800Error({ key: 'panel.unexpected', message }, 0);
}

/**
 * Something loaded from the box: value, loading, error; the newest request wins.
 * While the manager is away the request is repeated every 2 s until the page is left.
 */
export function useLoad<T>(fetcher: (signal: AbortSignal) => Promise<T>) {
  const value = shallowRef<T | null>(null);
  const error = shallowRef<Sa800Error | null>(null);
  const loading = ref(false);
  let current: AbortController | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    clearTimeout(retry);
    current?.abort();
    const mine = new AbortController();
    current = mine;
    loading.value = true;
    try {
      const answer = await fetcher(mine.signal);
      if (current !== mine) return;
      value.value = answer;
      error.value = null;
    } catch (reason) {
      if (current !== mine) return;
      error.value = asError(reason);
      if (error.value.unavailable) retry = setTimeout(() => void load(), 2_000);
    }
    loading.value = false;
  }

  onScopeDispose(() => {
    clearTimeout(retry);
    current?.abort();
    current = null;
  });
  return { value, error, loading, load };
}

/** One act of a person (save, delete …): busy while it runs, its error kept for the page. */
export function useAct() {
  const busy = ref(false);
  const error = shallowRef<Sa800Error | null>(null);

  /** True when it went well. */
  async function run(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = null;
    try {
      await act();
      return true;
    } catch (reason) {
      error.value = asError(reason);
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, error, run };
}
