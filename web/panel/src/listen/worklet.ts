import { RATE, Ring } from './ring';

/** Runs on the browser's audio thread: frames come in, both sides go out, levels are told. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Told 20 times a second. */
export interface Heard {
  /** Root mean square of the sides since the last word, full scale 1. */
  levels: [number, number];
  empty: number;
  cuts: number;
}

const EVERY = RATE / 20;

class Ear extends AudioWorkletProcessor {
  private readonly ring = new Ring();
  private readonly energy: [number, number] = [0, 0];
  private counted = 0;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<ArrayBuffer>) => this.ring.push(new Int16Array(event.data));
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [left, right] = outputs[0] ?? [];
    if (left === undefined || right === undefined) return true;
    this.ring.pull(left, right);
    for (let index = 0; index < left.length; index += 1) {
      this.energy[0] += (left[index] ?? 0) ** 2;
      this.energy[1] += (right[index] ?? 0) ** 2;
    }
    this.counted += left.length;
    if (this.counted >= EVERY) this.tell();
    return true;
  }

  private tell(): void {
    const [left, right] = this.energy;
    const levels: Heard['levels'] = [Math.sqrt(left / this.counted), Math.sqrt(right / this.counted)];
    this.port.postMessage({ levels, empty: this.ring.empty, cuts: this.ring.cuts } satisfies Heard);
    this.energy.fill(0);
    this.counted = 0;
  }
}

registerProcessor('sa800-ear', Ear);
