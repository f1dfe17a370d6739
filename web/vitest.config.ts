import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: { alias: { '@sa800/sdk': path('./sdk/src/index.ts'), '@': path('./panel/src') } },
  test: { include: ['sdk/test/**/*.test.ts', 'panel/test/**/*.test.ts'], watch: false },
});
