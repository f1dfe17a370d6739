import { onScopeDispose, ref } from 'vue';

const query = globalThis.matchMedia('(max-width: 720px)');

/** A phone, or a narrow window: tables become cards, the menu a drawer. */
export function useNarrow() {
  const narrow = ref(query.matches);
  const follow = () => (narrow.value = query.matches);
  query.addEventListener('change', follow);
  onScopeDispose(() => query.removeEventListener('change', follow));
  return narrow;
}
