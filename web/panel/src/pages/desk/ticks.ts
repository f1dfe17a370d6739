import { onScopeDispose, ref } from 'vue';

/** This computer's time in ms, four times a second: for calls of this very page. */
export function useTicks() {
  const now = ref(Date.now());
  const timer = setInterval(() => {
    now.value = Date.now();
  }, 250);
  onScopeDispose(() => clearInterval(timer));
  return now;
}
