import type { Language } from '@sa800/sdk';
import { createI18n } from 'vue-i18n';

const REMEMBERED = 'sa800.language';

const loaders = {
  zh: () => import('./locales/zh'),
  en: () => import('./locales/en'),
};

export const i18n = createI18n({ legacy: false, locale: 'zh', fallbackLocale: 'zh', messages: {}, missingWarn: false });

/** The language chosen on this machine; Chinese unless somebody chose otherwise. */
export function rememberedLanguage(): Language | null {
  const value = localStorage.getItem(REMEMBERED);
  return value === 'en' || value === 'zh' ? value : null;
}

export function currentLanguage(): Language {
  return i18n.global.locale.value === 'en' ? 'en' : 'zh';
}

/** Shows the panel in `language`; `remember` keeps it for the next visit on this machine. */
export async function showLanguage(language: Language, remember: boolean): Promise<void> {
  if (!i18n.global.availableLocales.includes(language)) {
    i18n.global.setLocaleMessage(language, (await loaders[language]()).default);
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  if (remember) localStorage.setItem(REMEMBERED, language);
}

export async function startI18n(): Promise<typeof i18n> {
  await showLanguage('zh', false);
  const language = rememberedLanguage();
  if (language === 'en') await showLanguage('en', false);
  return i18n;
}
