import { computed } from 'vue';
import type { ItemList } from './collection';

/** Everything CollectionPage takes from `useCollection`, for v-bind and v-on. */
export function pageOf<Item>(list: ItemList<Item>) {
  const props = computed(() => ({
    rows: list.rows.value,
    loading: list.loading.value,
    error: list.error.value,
    readonly: list.readonly.value,
    isNew: list.isNew.value,
    busy: list.busy.value,
    saveError: list.saveError.value,
    dirty: list.dirty.value,
  }));
  const on = { add: list.add, edit: list.edit, save: list.save, remove: list.remove, retry: list.load };
  return { props, on };
}
