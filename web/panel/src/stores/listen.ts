import type { LiveCall, Sa800Error } from '@sa800/sdk';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { Ear } from '@/listen/ear';
import type { Heard } from '@/listen/worklet';

/** Below, a side is silent: the quiet of G.711. */
const SILENCE = 0.003;
const REMEMBERED = 'sa800-listen-volume';

/** The one call that this page listens to (监听); a second one takes the place of the first. */
export const useListen = defineStore('listen', () => {
  const call = shallowRef<LiveCall | null>(null);
  /** When it began to sound, ms of the page's clock; null: not yet. */
  const since = ref<number | null>(null);
  const heard = shallowRef<Heard>({ levels: [0, 0], empty: 0, cuts: 0 });
  const error = shallowRef<Sa800Error | null>(null);
  const volume = ref(Number(localStorage.getItem(REMEMBERED) ?? 80));
  const active = shallowRef<Ear | null>(null);

  const state = computed(() => {
    if (active.value === null) return call.value === null ? 'off' : 'ended';
    return since.value === null ? 'opening' : 'on';
  });

  function listen(to: LiveCall): void {
    stop();
    performance.mark('sa800-listen-press');
    call.value = to;
    active.value = new Ear(to.call_id, { heard: take, ended });
    active.value.volume = volume.value / 100;
  }

  function take(now: Heard): void {
    heard.value = now;
    if (since.value !== null || Math.max(...now.levels) < SILENCE) return;
    since.value = Date.now();
    performance.mark('sa800-listen-sound');
  }

  function ended(why: Sa800Error): void {
    active.value = null;
    error.value = why;
    heard.value = { ...heard.value, levels: [0, 0] };
  }

  /** By the person: nothing is left to see. */
  function stop(): void {
    active.value?.stop();
    active.value = null;
    call.value = null;
    since.value = null;
    error.value = null;
  }

  function setVolume(percent: number): void {
    volume.value = percent;
    localStorage.setItem(REMEMBERED, String(percent));
    if (active.value) active.value.volume = percent / 100;
  }

  const listensTo = (callId: string) => active.value !== null && call.value?.call_id === callId;

  return { call, state, since, heard, error, volume, listen, stop, setVolume, listensTo };
});
