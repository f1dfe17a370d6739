import { onScopeDispose } from 'vue';

export const SHORTCUTS = {
  answer: 'KeyA',
  hangup: 'KeyX',
  hold: 'KeyH',
  mute: 'KeyM',
  transfer: 'KeyT',
  idle: 'KeyI',
  busy: 'KeyB',
} as const;

export type Shortcut = keyof typeof SHORTCUTS;

/** Alt + letter, by the key's place, so that it works with any keyboard layout and input method. */
export function useShortcuts(acts: Record<Shortcut, () => unknown>): void {
  const pressed = (event: KeyboardEvent) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const found = (Object.keys(SHORTCUTS) as Shortcut[]).find((name) => SHORTCUTS[name] === event.code);
    if (!found) return;
    event.preventDefault();
    acts[found]();
  };
  globalThis.addEventListener('keydown', pressed);
  onScopeDispose(() => globalThis.removeEventListener('keydown', pressed));
}
