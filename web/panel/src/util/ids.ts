/** "客服" has no letters for an id: count on from the ids there are. */
export function freeId(prefix: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const id = `${prefix}${number}`;
    if (!taken.includes(id)) return id;
  }
}
