import { describe, expect, it } from 'vitest';
import { FRAME, MOST, RATE, Ring, START } from '../src/listen/ring';

/** What the audio thread asks for at once. */
const QUANTUM = 128;

function frame(left: number, right: number): Int16Array {
  const made = new Int16Array(2 * FRAME);
  made.fill(left * 32_768, 0, FRAME);
  made.fill(right * 32_768, FRAME);
  return made;
}

function pull(ring: Ring, samples = QUANTUM): [Float32Array, Float32Array] {
  const sides: [Float32Array, Float32Array] = [new Float32Array(samples).fill(9), new Float32Array(samples).fill(9)];
  ring.pull(...sides);
  return sides;
}

function push(ring: Ring, frames: number, left = 0.5, right = -0.25): void {
  for (let index = 0; index < frames; index += 1) ring.push(frame(left, right));
}

describe('the ring between network and sound card', () => {
  it('waits until enough is there, then gives both sides apart', () => {
    const ring = new Ring();
    push(ring, START / FRAME - 1);
    expect(pull(ring)[0].every((sample) => sample === 0)).toBe(true);
    push(ring, 1);
    const [left, right] = pull(ring);
    expect(left.every((sample) => sample === 0.5)).toBe(true);
    expect(right.every((sample) => sample === -0.25)).toBe(true);
  });

  it('is silent when it runs empty, and begins anew with enough', () => {
    const ring = new Ring();
    push(ring, START / FRAME);
    for (let count = 0; count < Math.floor(START / QUANTUM); count += 1) expect(pull(ring)[0][0]).toBe(0.5);
    expect(pull(ring)[0][0]).toBe(0);
    expect(ring.empty).toBe(1);
    push(ring, 1);
    expect(pull(ring)[0][0]).toBe(0);
    push(ring, 2);
    expect(pull(ring)[0][0]).toBe(0.5);
  });

  it('drops the oldest of a burst and never holds more', () => {
    const ring = new Ring();
    push(ring, MOST / FRAME, 0.1, 0.1);
    expect(ring.waiting).toBe(MOST);
    push(ring, 1, 0.75, 0.75);
    expect([ring.waiting, ring.cuts]).toEqual([START, 1]);
    const [left] = pull(ring, START);
    expect(left.at(-1)).toBe(0.75);
    push(ring, 10_000);
    expect(ring.waiting).toBeLessThanOrEqual(MOST);
  });

  it('goes on with a sound card that is slower or faster: a cut or a gap now and then, no more', () => {
    const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
    for (const drift of [-1e-3, 1e-3]) {
      const ring = new Ring();
      let owed = 0;
      for (let count = 0; count < (600 * RATE) / FRAME; count += 1) {
        ring.push(frame(0.5, 0.5));
        owed += FRAME * (1 + drift);
        for (; owed >= QUANTUM; owed -= QUANTUM) ring.pull(left, right);
      }
      expect(ring.waiting).toBeLessThanOrEqual(MOST);
      // 600 ms too few or too many in ten minutes: some 60 ms at a gap, 180 ms at a cut.
      expect(ring.empty + ring.cuts).toBeGreaterThan(1);
      expect(ring.empty + ring.cuts).toBeLessThan(15);
    }
  });

  it('leaves out what is no frame', () => {
    const ring = new Ring();
    ring.push(new Int16Array(2 * FRAME - 2));
    expect(ring.waiting).toBe(0);
  });
});
