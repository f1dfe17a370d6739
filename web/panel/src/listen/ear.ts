import { Sa800Error } from '@sa800/sdk';
import { RATE } from './ring';
import type { Heard } from './worklet';
import worklet from './worklet?worker&url';

export interface EarHandlers {
  heard: (heard: Heard) => void;
  /** It is over, not by us. */
  ended: (why: Sa800Error) => void;
}

/** The box sends no more than 25 frames of which it has not been told that they came. */
const TELL_EVERY = 5;

/** One listening: the box's WebSocket, and the sound of it. Make it in a click: browsers let a page sound only then. */
export class Ear {
  private readonly socket: WebSocket;
  private readonly audio = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
  private readonly gain = new GainNode(this.audio);
  private node: AudioWorkletNode | null = null;
  private had = 0;
  private over = false;

  constructor(
    callId: string,
    private readonly handlers: EarHandlers,
  ) {
    this.gain.connect(this.audio.destination);
    const { protocol, host } = globalThis.location;
    const path = `/api/v1/calls/${encodeURIComponent(callId)}/listen`;
    this.socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}${path}`);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = () =>
      this.end(new Sa800Error({ key: 'listen.connection', message: 'The connection ended.' }, 0));
    this.open().catch((reason: unknown) => {
      this.end(new Sa800Error({ key: 'listen.audio', message: reason instanceof Error ? reason.message : '' }, 0));
    });
  }

  /** 0 … 1. */
  set volume(value: number) {
    this.gain.gain.value = value;
  }

  stop(): void {
    this.over = true;
    this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
    void this.audio.close();
  }

  private async open(): Promise<void> {
    await Promise.all([this.audio.audioWorklet.addModule(worklet), this.audio.resume()]);
    if (this.over) return;
    this.node = new AudioWorkletNode(this.audio, 'sa800-ear', { numberOfInputs: 0, outputChannelCount: [2] });
    this.node.port.onmessage = (event: MessageEvent<Heard>) => this.handlers.heard(event.data);
    this.node.connect(this.gain);
  }

  private receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      this.end(endFrom(String(data)));
      return;
    }
    this.had += 1;
    if (this.had % TELL_EVERY === 0) this.socket.send(JSON.stringify({ had: this.had }));
    // What comes before the sound card is ready is left out: it would only be late.
    this.node?.port.postMessage(data, [data]);
  }

  private end(why: Sa800Error): void {
    if (this.over) return;
    this.stop();
    this.handlers.ended(why);
  }
}

/** The box's last message → why it is over. */
export function endFrom(text: string): Sa800Error {
  const { key = '', message = '', hint = '' } = JSON.parse(text) as Record<string, string>;
  return new Sa800Error({ key, message, hint }, 0);
}
