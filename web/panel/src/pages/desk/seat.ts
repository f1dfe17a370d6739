import { type Sa800Error } from '@sa800/sdk';
import { ref, shallowRef, watch } from 'vue';
import { api } from '@/api';
import { useLive } from '@/stores/live';
import { usePhone } from '@/stores/phone';
import { useSession } from '@/stores/session';
import { asError } from '@/util/load';

export const BUSY_REASONS = ['break', 'lunch', 'meeting', 'training', 'paperwork', 'other'] as const;

/** How long the phone may take to register before the seat is logged in all the same. */
const REGISTER_MS = 8_000;

const busy = ref(false);
const error = shallowRef<Sa800Error | null>(null);

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

/** The own seat: log in, idle, busy with a reason, log out. One state for all who show it. */
export function useSeat() {
  const live = useLive();
  const phone = usePhone();
  const session = useSession();

  function registered(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, REGISTER_MS);
      const stop = watch(
        () => phone.state,
        (state) => state === 'registered' && queueMicrotask(done),
        { immediate: true },
      );
    });
  }

  /** One click: the phone registers, then calls may come. */
  function take(): Promise<boolean> {
    return run(async () => {
      if (session.session?.extension_kind === 'browser') {
        await phone.start();
        await registered();
      }
      await api.seats.setMine('idle');
    });
  }

  function become(state: 'idle' | 'busy', reason?: string): Promise<boolean> {
    if (!live.mySeat || live.mySeat.state === 'offline') return state === 'idle' ? take() : Promise.resolve(false);
    return run(() => api.seats.setMine(state, reason));
  }

  function leave(): Promise<boolean> {
    return run(async () => {
      await api.seats.leave();
      phone.stop();
    });
  }

  return { busy, error, take, become, leave };
}
