import { type BoardRow, call, Problem } from '@negatoscope/api-client';
import { useMessages, useNotify } from '@negatoscope/ui';
import { useCallback } from 'react';
import { messages } from './messages';
import { type Changed, nameOf, type StepAction } from './rows';

export type IdentityDocument =
  | 'IDENTITY_CARD'
  | 'PASSPORT'
  | 'RESIDENCE_PERMIT'
  | 'BIRTH_CERTIFICATE'
  | 'WRISTBAND'
  | 'RELATIVE'
  | 'SPOKEN';

const DONE = {
  arrive: 'doneArrive',
  identity: 'doneIdentity',
  start: 'doneStart',
  end: 'doneEnd',
  discontinue: 'doneDiscontinue',
  undo: 'doneUndo',
} as const satisfies Record<StepAction, keyof (typeof messages)['en']>;

/** What a dialog has to ask before a step goes on. */
export type Hindrance = 'safety' | 'identity' | null;

/** Say something of a step; what holds it up is given back, everything else that fails is told. */
export function useStepActions(
  reread: (changed: Changed) => Promise<void>,
): (
  row: BoardRow,
  action: StepAction,
  more?: { readonly document?: IdentityDocument; readonly reason?: string },
) => Promise<Hindrance> {
  const say = useMessages(messages);
  const notify = useNotify();
  return useCallback(
    async (row, action, more = {}) => {
      const again = (): Promise<void> =>
        reread({
          changed_step: [],
          changed_procedure: [],
          changed_request: [row.request],
          changed_appointment: [],
        });
      const send = (what: StepAction, body: typeof more): ReturnType<typeof post> =>
        post(row.step, { action: what, ...body });
      try {
        const done = await send(action, more);
        await again();
        const undo = (): void => {
          send('undo', {}).then(again, notify.failed);
        };
        if (done.is_changed || action === 'identity') {
          const text = say(DONE[action], { name: nameOf(row) });
          if (action === 'undo') notify.done(text);
          else notify.done(text, undo);
        }
        return action === 'identity' && done.safety_blocking.length > 0 ? 'safety' : null;
      } catch (error) {
        if (error instanceof Problem && error.code === 'safety-questions') return 'safety';
        if (error instanceof Problem && error.code === 'identity-unchecked') return 'identity';
        notify.failed(error);
        await again().catch(() => undefined);
        return null;
      }
    },
    [reread, notify, say],
  );
}

function post(
  step: number,
  body: { readonly action: StepAction; readonly document?: IdentityDocument; readonly reason?: string },
): Promise<{ readonly is_changed: boolean; readonly safety_blocking: readonly string[] }> {
  return call('POST /api/v1/board/steps/{step}/actions', { path: { step }, body });
}
