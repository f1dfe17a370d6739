import type {
  ApplyJob,
  CollectionName,
  Collections,
  ConfigDiff,
  ConfigDocument,
  ConfigState,
  Network,
  Site,
} from '@sa800/sdk';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { api } from '@/api';
import { asError } from '@/util/load';
import { useLive } from './live';

/** The field that names an item of each collection. */
export const ID_OF: { [K in CollectionName]: (item: Collections[K]) => string } = {
  extensions: (item) => item.number,
  trunks: (item) => item.id,
  e1_spans: (item) => item.line,
  fxo_ports: (item) => item.line,
  linksets: (item) => item.id,
  line_trunks: (item) => item.id,
  outbound: (item) => item.prefix,
  dids: (item) => item.number,
  prompts: (item) => item.id,
  menus: (item) => item.id,
  queues: (item) => item.id,
  peers: (item) => item.id,
};

/** The draft of the box's configuration, and what it would change. */
export const useConfig = defineStore('config', () => {
  const live = useLive();
  const state = shallowRef<ConfigState | null>(null);
  const diff = shallowRef<ConfigDiff | null>(null);
  const job = shallowRef<ApplyJob | null>(null);
  const stale = ref(true);
  let loading: Promise<void> = Promise.resolve();
  let following: Promise<void> | null = null;

  const document = computed<ConfigDocument | null>(() => state.value?.document ?? null);
  const pending = computed(() => (state.value?.changed ? (diff.value?.changes.length ?? 1) : 0));

  /** An answer may arrive after events that are newer: a job never goes back. */
  function tell(next: ApplyJob): void {
    const known = job.value;
    const older = known?.id === next.id && (known.finished_at !== null || known.steps.length > next.steps.length);
    if (!older) job.value = next;
  }

  async function fetchAll(): Promise<void> {
    const next = await api.config.get();
    state.value = next;
    stale.value = false;
    diff.value = next.changed ? await api.config.diff() : null;
    if (next.active_job && job.value?.id !== next.active_job) tell(await api.config.job(next.active_job));
  }

  /** One loading at a time. The one under way may have asked before what has just happened: those who ask meanwhile
      share one more after it. */
  function load(): Promise<void> {
    following ??= loading.then(() => {
      following = null;
      const begun = fetchAll();
      loading = begun.catch(() => undefined);
      return begun;
    });
    return following;
  }

  /** Loaded once; pages show what is there. */
  async function ensure(): Promise<ConfigDocument> {
    if (stale.value || state.value === null) await load();
    if (state.value === null) throw new Error('no configuration');
    return state.value.document;
  }

  /** An edit on the newest revision; somebody else's edit in between loads theirs and is told as an error. */
  async function edit<T>(act: (revision: number) => Promise<T>): Promise<T> {
    await ensure();
    try {
      return await act(state.value?.revision ?? 0);
    } catch (reason) {
      if (asError(reason).key === 'config.revision') await load();
      throw reason;
    } finally {
      stale.value = true;
      await load().catch(() => undefined);
    }
  }

  const put = <K extends CollectionName>(collection: K, item: Collections[K]) =>
    edit((revision) => api.config.put(collection, ID_OF[collection](item), item, revision));
  const remove = (collection: CollectionName, id: string) =>
    edit((revision) => api.config.remove(collection, id, revision));
  const putSite = (site: Site) => edit((revision) => api.config.putSite(site, revision));
  const putNetwork = (network: Network) => edit((revision) => api.config.putNetwork(network, revision));
  const dropDraft = () => edit(() => api.config.dropDraft());
  const rollback = (version: number) => edit(() => api.config.rollback(version));

  async function apply(when: 'now' | 'idle', comment: string): Promise<void> {
    tell(await edit((revision) => api.config.apply(revision, when, comment)));
  }

  /** Only a job that still waits can be cancelled; its end comes by the event stream. */
  async function cancelApply(): Promise<void> {
    if (job.value) await api.config.cancel(job.value.id);
  }

  // Progress comes by the event stream; after a gap (the manager itself may have restarted) it is asked for.
  watch(
    () => live.job,
    (next) => {
      if (next && (job.value === null || next.id === job.value.id || next.created_at > job.value.created_at))
        tell(next);
    },
  );
  watch(
    () => live.connected,
    async (up) => {
      const id = job.value?.id;
      if (up && id && job.value?.finished_at === null) await api.config.job(id).then(tell, () => undefined);
    },
  );
  watch(
    () => job.value?.finished_at,
    (finished) => finished && load().catch(() => undefined),
  );

  return {
    state,
    document,
    diff,
    job,
    pending,
    load,
    ensure,
    put,
    remove,
    putSite,
    putNetwork,
    dropDraft,
    rollback,
    apply,
    cancelApply,
  };
});
