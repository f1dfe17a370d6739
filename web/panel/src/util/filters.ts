import { computed } from 'vue';
import { type LocationQueryValue, useRoute, useRouter } from 'vue-router';

type Values = Record<string, string>;

function first(value: LocationQueryValue | LocationQueryValue[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Filters that live in the address: a reload, a bookmark and the back button keep them. */
export function useFilters<T extends Values>(defaults: T) {
  const route = useRoute();
  const router = useRouter();
  const values = computed(() => {
    const out: Values = { ...defaults };
    for (const key of Object.keys(defaults)) if (route.query[key] !== undefined) out[key] = first(route.query[key]);
    return out as T;
  });

  function set(change: Partial<T>): void {
    const query: Values = {};
    for (const [key, value] of Object.entries({ ...values.value, ...change })) {
      if (value !== undefined && value !== defaults[key]) query[key] = String(value);
    }
    void router.replace({ query });
  }

  return { values, set };
}
