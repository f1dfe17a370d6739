import type { Component } from 'vue';
import type { RouteRecordRaw } from 'vue-router';
import type { Access } from './access';

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title. */
    title?: string;
    /** Key of the menu group it stands in; first step of the breadcrumb. */
    group?: string;
    /** Route name of the page above (breadcrumb). */
    parent?: string;
    access?: Access;
    /** Icon in the menu; pages without one are not in the menu. */
    icon?: string;
    /** Without the frame: log-in and set-up. */
    bare?: boolean;
  }
}

type Loader = () => Promise<Component>;

function page(
  name: string,
  path: string,
  component: Loader,
  access: Access,
  group: string,
  icon?: string,
): RouteRecordRaw {
  return { name, path, component, meta: { title: `nav.${name}`, group: `nav.group.${group}`, access, icon } };
}

export const pages: RouteRecordRaw[] = [
  page('desk', '/desk', () => import('@/pages/desk/DeskPage.vue'), 'agent', 'work', 'Headset'),
  page('board', '/board', () => import('@/pages/board/BoardPage.vue'), 'any', 'work', 'Monitor'),
  page('records', '/records', () => import('@/pages/records/RecordsPage.vue'), 'agent', 'data', 'Tickets'),
  {
    ...page('record', '/records/:id', () => import('@/pages/records/RecordPage.vue'), 'agent', 'data'),
    meta: { title: 'nav.record', group: 'nav.group.data', access: 'agent', parent: 'records' },
  },
  page('reports', '/reports', () => import('@/pages/reports/ReportsPage.vue'), 'supervisor', 'data', 'TrendCharts'),
  page(
    'quality',
    '/reports/quality',
    () => import('@/pages/quality/QualityPage.vue'),
    'supervisor',
    'data',
    'Odometer',
  ),
  page(
    'extensions',
    '/admin/extensions',
    () => import('@/pages/admin/ExtensionsPage.vue'),
    'technician',
    'telephony',
    'Phone',
  ),
  page('queues', '/admin/queues', () => import('@/pages/admin/QueuesPage.vue'), 'technician', 'telephony', 'Finished'),
  page('menus', '/admin/menus', () => import('@/pages/admin/MenusPage.vue'), 'technician', 'telephony', 'Operation'),
  page('prompts', '/admin/prompts', () => import('@/pages/admin/PromptsPage.vue'), 'technician', 'telephony', 'Mic'),
  page('dids', '/admin/dids', () => import('@/pages/admin/DidsPage.vue'), 'technician', 'telephony', 'Postcard'),
  page('lines', '/lines', () => import('@/pages/lines/LinesPage.vue'), 'technician', 'telephony', 'Cpu'),
  page(
    'trunks',
    '/admin/trunks',
    () => import('@/pages/admin/TrunksPage.vue'),
    'technician',
    'telephony',
    'Connection',
  ),
  page('links', '/links', () => import('@/pages/links/LinksPage.vue'), 'technician', 'system', 'Share'),
  page('site', '/admin/site', () => import('@/pages/admin/SitePage.vue'), 'technician', 'system', 'Setting'),
  page('versions', '/admin/versions', () => import('@/pages/admin/VersionsPage.vue'), 'technician', 'system', 'Clock'),
  page('users', '/admin/users', () => import('@/pages/admin/UsersPage.vue'), 'admin', 'system', 'User'),
  page('alarms', '/alarms', () => import('@/pages/system/AlarmsPage.vue'), 'any', 'system', 'Bell'),
  page('audit', '/audit', () => import('@/pages/system/AuditPage.vue'), 'admin', 'system', 'Document'),
];

export const bare: RouteRecordRaw[] = [
  {
    name: 'login',
    path: '/login',
    component: () => import('@/pages/login/LoginPage.vue'),
    meta: { bare: true, title: 'nav.login' },
  },
  {
    name: 'setup',
    path: '/setup',
    component: () => import('@/pages/login/SetupPage.vue'),
    meta: { bare: true, title: 'nav.setup' },
  },
  {
    name: 'waiting',
    path: '/waiting',
    component: () => import('@/pages/login/WaitingPage.vue'),
    meta: { bare: true, title: 'nav.waiting' },
  },
];
