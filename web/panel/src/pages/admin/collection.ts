import type { CollectionName, Collections, Sa800Error } from '@sa800/sdk';
import { type ComputedRef, computed, onMounted, type Ref, reactive, ref } from 'vue';
import { useI18n } from 'vue-i18n';
import { said, sure } from '@/kit/ask';
import { ID_OF, useConfig } from '@/stores/config';
import { useSession } from '@/stores/session';
import { faultText } from '@/util/faults';
import { useAct, useLoad } from '@/util/load';

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** What a page needs of a list and the form of one item. */
export interface ItemList<Item> {
  rows: ComputedRef<Item[]>;
  error: Ref<Sa800Error | null>;
  loading: Ref<boolean>;
  readonly: ComputedRef<boolean>;
  open: Ref<boolean>;
  isNew: Ref<boolean>;
  /** The item under edit; a copy. */
  form: { item: Item };
  dirty: ComputedRef<boolean>;
  busy: Ref<boolean>;
  saveError: Ref<Sa800Error | null>;
  load(): Promise<void>;
  save(): Promise<void>;
  remove(): Promise<void>;
  fault(field: string): string;
  add(): void;
  edit(item: Item): void;
}

/** One list of the configuration with the form of one item: the grammar that all administration pages share. */
export function useCollection<K extends CollectionName>(
  collection: K,
  blank: (items: readonly Collections[K][]) => Collections[K],
): ItemList<Collections[K]> {
  type Item = Collections[K];
  const config = useConfig();
  const session = useSession();
  const { t } = useI18n();
  const { error, loading, load } = useLoad(() => config.ensure());
  const saving = useAct();
  const open = ref(false);
  const isNew = ref(false);
  const form = reactive<{ item: Item }>({ item: blank([]) }) as { item: Item };
  const original = ref('') as Ref<string>;

  const rows = computed(() => (config.document?.[collection] ?? []) as Item[]);
  const readonly = computed(() => !session.can('admin'));
  const dirty = computed(() => JSON.stringify(form.item) !== original.value);
  onMounted(load);

  function show(item: Item, fresh: boolean): void {
    form.item = copy(item);
    original.value = JSON.stringify(form.item);
    isNew.value = fresh;
    saving.error.value = null;
    open.value = true;
  }

  async function save(): Promise<void> {
    if (await saving.run(() => config.put(collection, form.item))) {
      open.value = false;
      said(t('common.saved'));
    }
  }

  async function remove(): Promise<void> {
    const id = ID_OF[collection](form.item);
    const name = 'name' in form.item ? `${String(form.item.name)} (${id})` : id;
    if (!(await sure(t('common.deleteSure', { name }), t('common.delete')))) return;
    if (await saving.run(() => config.remove(collection, id))) {
      open.value = false;
      said(t('common.saved'));
    }
  }

  /** What the box says against a field, by the end of its path: `fault('name')`. */
  function fault(field: string): string {
    const fields = saving.error.value?.fields ?? [];
    const found = fields.find((item) => item.path === field || item.path.endsWith(`/${field}`));
    return found ? faultText(found) : '';
  }

  return {
    rows,
    error,
    loading,
    load,
    readonly,
    open,
    isNew,
    form,
    dirty,
    save,
    remove,
    fault,
    busy: saving.busy,
    saveError: saving.error,
    add: () => show(blank(rows.value), true),
    edit: (item: Item) => show(item, false),
  };
}
