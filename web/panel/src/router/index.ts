import { watch } from 'vue';
import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router';
import { i18n } from '@/i18n';
import { useSession } from '@/stores/session';
import { allows, homeOf } from './access';
import { bare, pages } from './pages';

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'home', redirect: () => homeOf(useSession().role) },
    ...bare,
    ...pages,
    {
      path: '/:rest(.*)*',
      name: 'missing',
      component: () => import('@/pages/login/MissingPage.vue'),
      meta: { title: 'nav.missing', access: 'any' },
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

/** Back to where one was, never to another site. */
export function returnPath(value: unknown): string {
  return typeof value === 'string' && value.startsWith('/') && !value.startsWith('//') ? value : '/';
}

router.beforeEach(async (to) => {
  const session = useSession();
  if (to.meta.bare) return true;
  const known = await session.ensure();
  if (known === 'none') return { name: 'login', query: to.fullPath === '/' ? {} : { to: to.fullPath } };
  if (known === 'unavailable') return { name: 'waiting', query: { to: to.fullPath } };
  if (to.path === '/' || !allows(to.meta.access ?? 'any', session.role)) return homeOf(session.role);
  return true;
});

function retitle(route: RouteLocationNormalized): void {
  const title = route.meta.title ? i18n.global.t(route.meta.title) : '';
  document.title = title ? `${title} · SA800` : 'SA800';
}

router.afterEach((to) => retitle(to));
watch(i18n.global.locale, () => retitle(router.currentRoute.value));

// A page's files are gone when the box was upgraded under an open panel: load the new panel, once.
router.onError((error: unknown, to) => {
  const stale = error instanceof Error && /dynamically imported module|module script/i.test(error.message);
  const mark = `sa800.reloaded ${to.fullPath}`;
  if (!stale || sessionStorage.getItem(mark)) return;
  sessionStorage.setItem(mark, '1');
  location.assign(to.fullPath);
});
