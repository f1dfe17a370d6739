/** Sound of the box comes by TCP, at the network's pace; the sound card takes it at its own. Between them: this. */
export const RATE = 8_000;
/** Samples that are there before it sounds: 60 ms, what comes late on a usual network. */
export const START = 480;
/** More than 240 ms: a burst, or clocks that drift. Cut to START, the oldest goes. */
export const MOST = 1_920;
/** 20 ms of a side. */
export const FRAME = 160;

const SIZE = 4_096;
const FULL_SCALE = 32_768;

export class Ring {
  private readonly sides = [new Float32Array(SIZE), new Float32Array(SIZE)] as const;
  private written = 0;
  private read = 0;
  private sounding = false;
  /** How often it ran empty, and how often it was cut, since it began. */
  empty = 0;
  cuts = 0;

  get waiting(): number {
    return this.written - this.read;
  }

  /** A frame of the box: 20 ms of one side, then 20 ms of the other, 16 bits a sample. Others are left out. */
  push(frame: Int16Array): void {
    if (frame.length !== 2 * FRAME) return;
    for (let index = 0; index < FRAME; index += 1) {
      const at = (this.written + index) % SIZE;
      this.sides[0][at] = (frame[index] ?? 0) / FULL_SCALE;
      this.sides[1][at] = (frame[FRAME + index] ?? 0) / FULL_SCALE;
    }
    this.written += FRAME;
    if (this.waiting > MOST) {
      this.read = this.written - START;
      this.cuts += 1;
    }
  }

  /** Fills both with the next samples; silence while too few are there. */
  pull(left: Float32Array, right: Float32Array): void {
    if (this.sounding && this.waiting < left.length) {
      this.sounding = false;
      this.empty += 1;
    } else if (!this.sounding && this.waiting >= START) this.sounding = true;
    if (!this.sounding) {
      left.fill(0);
      right.fill(0);
      return;
    }
    for (let index = 0; index < left.length; index += 1) {
      const at = (this.read + index) % SIZE;
      left[index] = this.sides[0][at] ?? 0;
      right[index] = this.sides[1][at] ?? 0;
    }
    this.read += left.length;
  }
}
