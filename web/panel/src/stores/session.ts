import { type BoxStatus, Sa800Error, type Session, type SetupRequest } from '@sa800/sdk';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { api } from '@/api';
import { currentLanguage, rememberedLanguage, showLanguage } from '@/i18n';
import { type Access, allows } from '@/router/access';
import { setSiteZone } from '@/util/zone';

export type Known = 'yes' | 'none' | 'unavailable';

/** Who is logged in at this page. */
export const useSession = defineStore('session', () => {
  const session = ref<Session | null>(null);
  const status = ref<BoxStatus | null>(null);
  const endedReason = ref('');

  const role = computed(() => session.value?.user.role ?? 'agent');
  const extension = computed(() => session.value?.extension ?? null);
  const can = (access: Access) => session.value !== null && allows(access, session.value.user.role);

  async function opened(value: Session): Promise<void> {
    session.value = value;
    setSiteZone(value.timezone);
    endedReason.value = '';
    if (rememberedLanguage() === null) await showLanguage(value.user.language, false);
  }

  /** Is there a session? Asks the box once; afterwards the pages hear when it ends. */
  async function ensure(): Promise<Known> {
    if (session.value !== null) return 'yes';
    try {
      await opened(await api.session.get());
      return 'yes';
    } catch (error) {
      return error instanceof Sa800Error && error.unavailable ? 'unavailable' : 'none';
    }
  }

  async function loadStatus(): Promise<BoxStatus> {
    status.value = await api.session.status();
    return status.value;
  }

  async function logIn(login: string, password: string): Promise<void> {
    await opened(await api.session.logIn(login, password));
  }

  async function setUp(request: Omit<SetupRequest, 'language'>): Promise<void> {
    await opened(await api.session.setup({ ...request, language: currentLanguage() }));
  }

  /** Another extension for this session (hot-desk). */
  async function takeExtension(number: string | null): Promise<void> {
    session.value = await api.session.change({ extension: number });
  }

  async function speak(language: 'zh' | 'en'): Promise<void> {
    await showLanguage(language, true);
    if (session.value) session.value = await api.session.change({ language }).catch(() => session.value);
  }

  /** The box says the session is over (or it was never there). */
  function ended(reason: string): void {
    session.value = null;
    endedReason.value = reason;
  }

  async function logOut(): Promise<void> {
    await api.session.logOut().catch(() => undefined);
    ended('');
  }

  return {
    session,
    status,
    endedReason,
    role,
    extension,
    can,
    ensure,
    loadStatus,
    logIn,
    setUp,
    takeExtension,
    speak,
    ended,
    logOut,
  };
});
