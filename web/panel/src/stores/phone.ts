import type { LiveCall, PopEvent } from '@sa800/sdk';
import { defineStore } from 'pinia';
import { computed, nextTick, ref, shallowRef, watch } from 'vue';
import { api } from '@/api';
import { i18n } from '@/i18n';
import { refused } from '@/kit/ask';
import { type MicrophoneFault } from '@/phone/microphone';
import { holdPhone } from '@/phone/only';
import type { Phone } from '@/phone/phone';
import { keepOnly, play } from '@/phone/speaker';
import { sound, wakeOnGesture } from '@/phone/tones';
import type { PhoneCall, PhoneState } from '@/phone/types';
import { useLive } from './live';

function popOf(call: LiveCall, queueName: string): PopEvent {
  const { call_id, extension, caller_number, did, queue } = call;
  return {
    call_id,
    extension,
    caller_number,
    caller_name: '',
    did,
    did_name: '',
    queue,
    queue_name: queueName,
    menu_path: [],
    menu_names: {},
    wait_ms: 0,
  };
}

/** The browser phone and what the desk shows of it. */
export const usePhone = defineStore('phone', () => {
  const live = useLive();
  const state = ref<PhoneState>('off');
  const detail = ref('');
  const microphone = ref<MicrophoneFault | null>(null);
  const calls = shallowRef<readonly PhoneCall[]>([]);
  const lastCause = ref('');
  let phone: Phone | null = null;
  let release: (() => void) | null = null;

  /** The call with the customer; `consultation` is the second one of an attended transfer. */
  const call = computed(() => calls.value.find((item) => !item.consultation) ?? calls.value[0] ?? null);
  const consultation = computed(() => calls.value.find((item) => item.consultation && item !== call.value) ?? null);
  const ringing = computed(() => call.value?.state === 'ringing');
  const told = shallowRef<PopEvent | null>(null);
  /**
   * What the box knows of the call; the number on the page is there before it. After a transfer the call is another
   * one than the one that rang: then what the live board knows of the customer is shown.
   */
  const pop = computed<PopEvent | null>(() => {
    if (call.value?.direction !== 'in') return null;
    const now = live.myCall;
    if (now?.direction === 'inbound' && now.call_id !== live.pop?.call_id)
      return popOf(now, live.state.queues.get(now.queue)?.name ?? '');
    return live.pop;
  });

  function changed(next: readonly PhoneCall[]): void {
    const before = call.value;
    calls.value = next;
    keepOnly(next.map((item) => item.id));
    const now = call.value;
    if (now?.state === 'ringing') sound('ring');
    else sound(next.some((item) => item.state === 'dialling') ? 'ringback' : null);
    if (now?.state === 'ringing' && before?.id !== now.id) void shown();
    if (now === null) live.pop = null;
  }

  /** Why an own call did not come about; nothing after a call that was talked. */
  function ended(over: PhoneCall): void {
    lastCause.value = over.direction === 'out' && over.answeredAt === null ? over.cause : '';
  }

  /** The number stands on the page from here on. */
  async function shown(): Promise<void> {
    await nextTick();
    performance.mark('sa800-pop');
  }

  async function start(steal = false): Promise<void> {
    if (phone !== null) return;
    if (!globalThis.isSecureContext) {
      state.value = 'failed';
      microphone.value = 'insecure';
      return;
    }
    release?.();
    release = holdPhone({
      steal,
      got: () => void open(),
      waiting: () => (state.value = 'elsewhere'),
      lost: () => {
        close();
        state.value = 'elsewhere';
      },
    });
  }

  async function open(): Promise<void> {
    const { Phone } = await import('@/phone/phone');
    if (release === null) return;
    const opened = new Phone(
      {
        state: (next, why) => {
          state.value = next;
          detail.value = why;
        },
        calls: changed,
        ended,
        transferRefused: () => refused(i18n.global.t('desk.transferRefused')),
        sound: play,
      },
      () => api.session.sip(),
    );
    phone = opened;
    for (let tries = 0; phone === opened; tries += 1) {
      try {
        await opened.start();
        return;
      } catch (reason) {
        state.value = 'failed';
        detail.value = reason instanceof Error ? reason.message : '';
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 500 * 2 ** tries)));
      }
    }
  }

  function close(): void {
    phone?.stop();
    phone = null;
    sound(null);
  }

  function stop(): void {
    close();
    release?.();
    release = null;
    state.value = 'off';
  }

  const with1 = (act: (phone: Phone, id: string) => void) => {
    if (phone && call.value) act(phone, call.value.id);
  };

  // A second caller who is refused because of this talk must not take its place on the page.
  watch(
    () => live.pop,
    (next) => {
      if (next === null || told.value === null || call.value?.state !== 'talking') told.value = next;
    },
  );
  wakeOnGesture();
  globalThis.addEventListener('pagehide', () => close());
  globalThis.addEventListener('beforeunload', (event) => {
    if (calls.value.some((item) => item.state === 'talking')) event.preventDefault();
  });
  watch(
    () => live.mySeat?.state,
    (next) => {
      if (next && next !== 'offline' && state.value === 'off') void start();
    },
  );

  return {
    state,
    detail,
    microphone,
    calls,
    call,
    consultation,
    ringing,
    pop,
    lastCause,
    start,
    stop,
    dial: (number: string) => phone?.dial(number),
    answer: () => with1((p, id) => p.answer(id)),
    hangup: () => with1((p, id) => p.hangup(id)),
    hold: (on: boolean) => with1((p, id) => p.hold(id, on)),
    mute: (on: boolean) => with1((p, id) => p.mute(id, on)),
    keys: (tones: string) => with1((p, id) => p.keys(id, tones)),
    transfer: (number: string) => with1((p, id) => p.transfer(id, number)),
    consult: (number: string) =>
      with1((p, id) => {
        p.hold(id, true);
        p.dial(number);
      }),
    join: () => with1((p, id) => consultation.value && p.join(id, consultation.value.id)),
    dropConsultation: () => {
      if (consultation.value) phone?.hangup(consultation.value.id);
    },
  };
});
