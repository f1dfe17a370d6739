import { Sa800Client, type Sa800Error } from '@sa800/sdk';

type Listener = (error: Sa800Error | null) => void;

const listeners = new Set<Listener>();

function tell(error: Sa800Error | null): void {
  for (const listener of listeners) listener(error);
}

/** Hears of every answer of the box (null) and every failure. */
export function onTraffic(listener: Listener): void {
  listeners.add(listener);
}

/** The panel's one client of the box. */
export const api = new Sa800Client({ onError: tell, onAnswer: () => tell(null) });
