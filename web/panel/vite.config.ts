import { fileURLToPath } from 'node:url';
import vueI18n from '@intlify/unplugin-vue-i18n/vite';
import vue from '@vitejs/plugin-vue';
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers';
import Components from 'unplugin-vue-components/vite';
import { defineConfig } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  plugins: [
    vue(),
    // Messages are compiled here: the page needs no compiler and no eval (strict CSP).
    vueI18n({ include: [path('./src/locales/**/*.json')], runtimeOnly: true, strictMessage: true }),
    Components({ dirs: [], resolvers: [ElementPlusResolver({ importStyle: 'css' })], dts: 'src/components.d.ts' }),
  ],
  resolve: { alias: { '@sa800/sdk': path('../sdk/src/index.ts'), '@': path('./src') } },
  build: {
    target: 'es2022',
    // No data: URLs, no inline scripts: everything is a file of the box's own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': { target: 'http://127.0.0.1:8800', ws: true },
      '/ws': { target: 'ws://127.0.0.1:8800', ws: true },
    },
  },
});
