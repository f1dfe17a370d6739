const players = new Map<string, HTMLAudioElement>();

/** Plays the far side of a call. */
export function play(callId: string, stream: MediaStream): void {
  const player = players.get(callId) ?? new Audio();
  players.set(callId, player);
  player.autoplay = true;
  player.srcObject = stream;
  // Refused only before the first click on the page; answering is one.
  player.play().catch(() => undefined);
}

/** Silence for calls that are over. */
export function keepOnly(callIds: readonly string[]): void {
  for (const [id, player] of players) {
    if (callIds.includes(id)) continue;
    player.srcObject = null;
    players.delete(id);
  }
}
