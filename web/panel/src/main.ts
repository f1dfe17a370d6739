import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { startI18n } from './i18n';
import { router } from './router';
import './styles/base.css';
import './styles/controls.css';

const app = createApp(App);
app.use(createPinia());
app.use(await startI18n());
app.use(router);
app.mount('#app');
