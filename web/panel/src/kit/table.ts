/** One column of a DataTable. Cells come from the slot `cell-<key>`, or the row's own value under `key`. */
export interface Column {
  key: string;
  label: string;
  /** Name to sort by; absent = not sortable. */
  sort?: string;
  align?: 'left' | 'right';
  /** Left out on narrow screens. */
  wide?: boolean;
  hint?: string;
}

/** "started_at" ↑ or "-started_at" ↓: what a click on a column's head asks for. */
export function nextSort(current: string, column: string): string {
  return current === `-${column}` ? column : `-${column}`;
}
