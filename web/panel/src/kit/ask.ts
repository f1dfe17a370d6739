import { ElMessage, ElMessageBox } from 'element-plus';
import 'element-plus/es/components/message/style/css';
import 'element-plus/es/components/message-box/style/css';
import type { Sa800Error } from '@sa800/sdk';
import { i18n } from '@/i18n';
import { errorWords } from '@/util/faults';

const t = (key: string) => i18n.global.t(key);

/** Asks before something is lost. True = go on. */
export async function sure(question: string, act: string, danger = true): Promise<boolean> {
  const answer = await ElMessageBox.confirm(question, t('common.attention'), {
    confirmButtonText: act,
    cancelButtonText: t('common.cancel'),
    confirmButtonClass: danger ? 'el-button--danger' : '',
    type: danger ? 'warning' : 'info',
  }).catch(() => null);
  return answer !== null;
}

/** A short word that something went well. */
export function said(text: string): void {
  ElMessage({ message: text, type: 'success', duration: 2_000, placement: 'bottom', grouping: true });
}

/** Something was not done. */
export function refused(text: string): void {
  ElMessage({ message: text, type: 'error', duration: 6_000, placement: 'bottom', grouping: true });
}

/** A failure where there is no place for an ErrorAlert. */
export function failed(error: Sa800Error): void {
  const { message, hint, own } = errorWords(error);
  refused([message, hint, own].filter(Boolean).join('\n'));
}
