import type { Peaks } from '@sa800/sdk';

const CALLER = '#1f5eff';
const SEAT = '#12805c';

/** Draws both sides of a recording on `canvas`: caller above the line, our side below; what was heard is stronger. */
export function draw(canvas: HTMLCanvasElement, peaks: Peaks, share: number): void {
  const scale = globalThis.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(scale, scale);
  const middle = height / 2;
  half(pen, peaks.left, width, middle, -1, share, CALLER);
  half(pen, peaks.right, width, middle, 1, share, SEAT);
  pen.globalAlpha = 1;
  pen.fillStyle = '#c3cbd8';
  pen.fillRect(0, middle - 0.5, width, 1);
  pen.fillStyle = '#c8372d';
  pen.fillRect(Math.round(share * width), 0, 1, height);
}

function half(
  pen: CanvasRenderingContext2D,
  values: number[],
  width: number,
  middle: number,
  sign: number,
  share: number,
  colour: string,
): void {
  const columns = Math.max(1, Math.floor(width / 2));
  pen.fillStyle = colour;
  for (let column = 0; column < columns; column += 1) {
    const level = loudest(values, column / columns, (column + 1) / columns);
    const size = Math.max(0.5, level * (middle - 2));
    pen.globalAlpha = column / columns <= share ? 1 : 0.45;
    pen.fillRect(column * 2, sign < 0 ? middle - size : middle, 1.4, size);
  }
}

/** Loudest value between two shares of the whole. */
export function loudest(values: readonly number[], from: number, to: number): number {
  const first = Math.floor(from * values.length);
  const last = Math.max(first + 1, Math.ceil(to * values.length));
  let most = 0;
  for (let index = first; index < Math.min(last, values.length); index += 1) most = Math.max(most, values[index] ?? 0);
  return Math.min(1, most);
}
