import { onScopeDispose, ref } from 'vue';

let offsetMs = 0;
const now = ref(Date.now());
let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The box's clock counts, not this computer's: timers on the page run on the box's time. */
export function setServerTime(at: string): void {
  const server = Date.parse(at);
  if (Number.isNaN(server)) return;
  const seen = server - Date.now();
  // Messages come late, never early: take a new offset when it differs clearly.
  if (Math.abs(seen - offsetMs) > 1_000) offsetMs = seen;
}

export function serverNow(): number {
  return Date.now() + offsetMs;
}

/** Server time in ms, ticking four times a second while something shows it. */
export function useNow() {
  users += 1;
  if (users === 1) {
    now.value = serverNow();
    timer = setInterval(() => (now.value = serverNow()), 250);
  }
  onScopeDispose(() => {
    users -= 1;
    if (users === 0) clearInterval(timer);
  });
  return now;
}
