interface Holder {
  /** Take the phone from the page that has it. */
  steal: boolean;
  /** This page is the phone now. */
  got: () => void;
  /** Another page is; this one waits for it to close. */
  waiting: () => void;
  /** Another page took it. */
  lost: () => void;
}

const NAME = 'sa800-phone';
const PATIENCE_MS = 400;

/** One browser, one phone: two pages registering as one extension would take calls from each other. */
export function holdPhone({ steal, got, waiting, lost }: Holder): () => void {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const given = new AbortController();
  let mine = false;
  const timer = setTimeout(() => !mine && waiting(), PATIENCE_MS);
  navigator.locks
    .request(NAME, steal ? { steal } : { signal: given.signal }, () => {
      mine = true;
      clearTimeout(timer);
      got();
      return held;
    })
    .catch(() => mine && lost());
  return () => {
    clearTimeout(timer);
    release();
    if (!mine) given.abort();
    mine = false;
  };
}
