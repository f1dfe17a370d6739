import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { startI18n } from './i18n';
import { failed } from './kit/ask';
import { router } from './router';
import { asError } from './util/load';
import './styles/base.css';
import './styles/controls.css';

const app = createApp(App);
app.use(createPinia());
app.use(await startI18n());
app.use(router);
// A defect of ours on one page: say so, leave the rest (and the call) working.
app.config.errorHandler = (reason) => {
  failed(asError(reason));
  globalThis.reportError(reason);
};
app.mount('#app');
