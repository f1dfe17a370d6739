/** What the browser says of the way that a call's sound takes. */
export interface Way {
  state: RTCIceConnectionState;
  /** The ICE credentials of both ends: others after a restart, first ours, then the far end's. */
  credentials: string;
  /** Both ends' addresses; '' where the browser does not tell. */
  addresses: string;
}

interface PathActs {
  /** Offer new credentials and candidates, if an offer is possible at this moment. */
  restart(): void;
  /** The sound is lost and another way is looked for, or it is back. */
  mending(on: boolean): void;
  /** No way was found: the call is over. */
  giveUp(): void;
}

/** Milliseconds. Ten tries end after Asterisk's own limit: it ends a page's call that brought no sound for 30 s. */
const PATIENCE_MS = 2_000;
const SETTLE_MS = 2_000;
const AGAIN_MS = 4_000;
const TRIES = 10;

/**
 * Looks after the way of a call's sound (ICE). A way can die while the call lives: a network interface goes, an
 * address changes, a router forgets. The browser then takes the next of the ways it knows and calls that connected,
 * but Asterisk stays with the one that was agreed: neither hears the other. So a way that is left without new
 * credentials is lost like one that is disconnected, and both ends are brought together by an ICE restart.
 */
export class MediaPath {
  private way: Way | null = null;
  /** The way that both ends use; null while they are still choosing. */
  private agreed: Way | null = null;
  private lost = false;
  private tries = 0;
  private search: ReturnType<typeof setTimeout> | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly acts: PathActs) {}

  get isLost(): boolean {
    return this.lost;
  }

  feed(way: Way): void {
    this.way = way;
    const connected = way.state === 'connected' || way.state === 'completed';
    if (connected && !this.strayed(way)) {
      this.found(way);
      return;
    }
    clearTimeout(this.settling);
    if (connected || way.state === 'failed') {
      if (this.search === undefined) this.mend();
    } else if (way.state === 'disconnected') {
      // What only flickers comes back by itself.
      this.search ??= setTimeout(() => this.mend(), PATIENCE_MS);
    }
  }

  /** The call is over. */
  stop(): void {
    clearTimeout(this.search);
    clearTimeout(this.settling);
  }

  private strayed({ credentials, addresses }: Way): boolean {
    const { agreed } = this;
    return agreed !== null && agreed.credentials === credentials && agreed.addresses !== addresses;
  }

  private found({ addresses }: Way): void {
    clearTimeout(this.search);
    this.search = undefined;
    if (!this.lost && this.agreed?.addresses === addresses) return;
    if (this.agreed?.addresses !== addresses) this.agreed = null;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settled(), SETTLE_MS);
  }

  private settled(): void {
    this.agreed = this.way;
    this.tries = 0;
    if (this.lost) this.acts.mending(false);
    this.lost = false;
  }

  private mend(): void {
    clearTimeout(this.search);
    if (this.tries === TRIES) {
      this.acts.giveUp();
      return;
    }
    this.tries += 1;
    this.search = setTimeout(() => this.mend(), AGAIN_MS);
    if (!this.lost) this.acts.mending(true);
    this.lost = true;
    this.acts.restart();
  }
}
