import {
  type ApplyJob,
  EMPTY_LIVE,
  EventStream,
  type LineTest,
  type LinkProbe,
  type LiveState,
  type PopEvent,
  type RecordEvent,
  Sa800Error,
} from '@sa800/sdk';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { api, onTraffic } from '@/api';
import { setServerTime } from '@/util/clock';
import { useSession } from './session';

/** A short gap (a manager restarts in about a second) is not worth a banner that flashes. */
const QUIET_GAP_MS = 1_500;

/** Live state of the box, and whether its manager answers. */
export const useLive = defineStore('live', () => {
  const session = useSession();
  const state = shallowRef<LiveState>(EMPTY_LIVE);
  const connected = ref(false);
  const managerAway = ref(false);
  const pop = shallowRef<PopEvent | null>(null);
  const lastRecord = shallowRef<RecordEvent | null>(null);
  const job = shallowRef<ApplyJob | null>(null);
  const lineTest = shallowRef<LineTest | null>(null);
  const linkProbe = shallowRef<LinkProbe | null>(null);
  let quiet: ReturnType<typeof setTimeout> | undefined;
  let asking = false;

  /** Whether the first snapshot is there: nobody is "offline" before it. */
  const known = computed(() => state.value !== EMPTY_LIVE);
  const queues = computed(() => [...state.value.queues.values()]);
  const seats = computed(() => [...state.value.seats.values()]);
  const calls = computed(() => [...state.value.calls.values()]);
  const alarms = computed(() => [...state.value.alarms.values()].filter((alarm) => alarm.cleared_at === null));
  const lines = computed(() => [...state.value.lines.values()].sort((a, b) => a.order - b.order));
  const mySeat = computed(() => (session.session ? (state.value.seats.get(session.session.user.id) ?? null) : null));
  const myCall = computed(() => state.value.calls.get(mySeat.value?.call_id ?? '') ?? null);

  function setConnected(up: boolean): void {
    connected.value = up;
    clearTimeout(quiet);
    if (up) managerAway.value = false;
    else quiet = setTimeout(() => (managerAway.value = true), QUIET_GAP_MS);
  }

  /** The stream cannot tell "logged out" from "manager away" (both refuse the socket): ask. */
  async function askSession(): Promise<void> {
    if (asking) return;
    asking = true;
    await api.session.get().catch(() => undefined);
    asking = false;
  }

  const stream = new EventStream({
    live: (next) => {
      setServerTime(next.at);
      state.value = next;
    },
    connection: setConnected,
    pop: (event) => (pop.value = event),
    record: (event) => (lastRecord.value = event),
    job: (next) => (job.value = next),
    lineTest: (next) => (lineTest.value = next),
    linkProbe: (next) => (linkProbe.value = next),
    sessionEnded: (reason) => session.ended(reason || 'ended'),
    unreachable: () => void askSession(),
  });

  onTraffic((error: Sa800Error | null) => {
    if (error === null) {
      if (connected.value) managerAway.value = false;
    } else if (error.unauthenticated && session.session !== null) session.ended('expired');
    else if (error.managerAway && session.session !== null) managerAway.value = true;
  });

  function start(): void {
    setConnected(false);
    stream.start();
  }

  function stop(): void {
    stream.stop();
    clearTimeout(quiet);
    state.value = EMPTY_LIVE;
    pop.value = null;
    managerAway.value = false;
  }

  return {
    state,
    known,
    connected,
    managerAway,
    pop,
    lastRecord,
    job,
    lineTest,
    linkProbe,
    queues,
    seats,
    calls,
    alarms,
    lines,
    mySeat,
    myCall,
    start,
    stop,
  };
});
