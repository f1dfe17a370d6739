/** Ring and ring-back made by the page itself (450 Hz, 1 s on, 4 s off, as in China): no sound files. */
const HZ = 450;
const PERIOD_S = 5;
const RING_S = 1;

let context: AudioContext | null = null;
let playing: { stop(): void } | null = null;

/** Browsers let a page sound only after a click or key: the first one wakes it. */
export function wakeOnGesture(): void {
  const wake = () => {
    context ??= new AudioContext();
    void context.resume();
  };
  globalThis.addEventListener('pointerdown', wake, { capture: true });
  globalThis.addEventListener('keydown', wake, { capture: true });
}

function pulse(gain: GainNode, at: number, volume: number): void {
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(volume, at + 0.02);
  gain.gain.setValueAtTime(volume, at + RING_S);
  gain.gain.linearRampToValueAtTime(0, at + RING_S + 0.02);
}

/** `ring`: a call comes; `ringback`: the called one rings; null: silence. */
export function sound(kind: 'ring' | 'ringback' | null): void {
  playing?.stop();
  playing = null;
  if (kind === null) return;
  context ??= new AudioContext();
  const audio = context;
  void audio.resume();
  const oscillator = new OscillatorNode(audio, { frequency: HZ });
  const warble = new OscillatorNode(audio, { frequency: 20 });
  const depth = new GainNode(audio, { gain: kind === 'ring' ? 60 : 0 });
  const gain = new GainNode(audio, { gain: 0 });
  const volume = kind === 'ring' ? 0.25 : 0.06;
  warble.connect(depth).connect(oscillator.frequency);
  oscillator.connect(gain).connect(audio.destination);
  const next = () => pulse(gain, audio.currentTime + 0.01, volume);
  next();
  const timer = setInterval(next, PERIOD_S * 1000);
  oscillator.start();
  warble.start();
  playing = {
    stop() {
      clearInterval(timer);
      oscillator.stop();
      warble.stop();
      gain.disconnect();
    },
  };
}
