import { type BoardRow, call } from '@negatoscope/api-client';
import { useMessages, useNotify } from '@negatoscope/ui';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { viewerAddress } from '../studies/opening';
import type { RowAction } from './BoardTable';
import { DeviceDialog, IdentityDialog, ReasonDialog, UncheckedDialog } from './dialogs';
import { messages } from './messages';
import { NoteDialog } from './NoteDialog';
import { type Changed, nameOf, type StepAction } from './rows';
import { SafetyDialog } from './SafetyDialog';
import { type IdentityDocument, useStepActions } from './useStepActions';

type Asked =
  | { readonly what: 'identity' | 'unchecked' | 'reason' | 'device' | 'note'; readonly row: BoardRow }
  | { readonly what: 'safety'; readonly row: BoardRow; readonly next: StepAction | null }
  | null;

/** What can be done with a row, and the dialogs that it takes. */
export function useRowActions(options: {
  readonly reread: (changed: Changed) => Promise<void>;
  /** A dialog closed: the keyboard goes back. */
  readonly onClosed?: () => void;
}): { readonly onAction: (row: BoardRow, action: RowAction) => void; readonly dialogs: ReactNode } {
  const say = useMessages(messages);
  const notify = useNotify();
  const router = useRouter();
  const act = useStepActions(options.reread);
  const [asked, setAsked] = useState<Asked>(null);

  function close(): void {
    setAsked(null);
    options.onClosed?.();
  }

  async function perform(
    row: BoardRow,
    action: StepAction,
    more: { readonly document?: IdentityDocument; readonly reason?: string } = {},
  ): Promise<void> {
    const hindrance = await act(row, action, more);
    if (hindrance === 'safety') setAsked({ what: 'safety', row, next: action === 'start' ? 'start' : null });
    else if (hindrance === 'identity') setAsked({ what: 'unchecked', row });
    else close();
  }

  function onAction(row: BoardRow, action: RowAction): void {
    switch (action) {
      case 'open':
        void router.navigate({ href: `/examinations/${row.procedure}` });
        break;
      case 'images':
        void router.navigate({ href: viewerAddress(row.study_instance_uids) });
        break;
      case 'label':
        window.open(`/api/v1/examinations/${row.procedure}/label.pdf`, '_blank', 'noopener');
        break;
      case 'letter':
        if (row.appointment !== null)
          window.open(`/api/v1/appointments/${row.appointment}/letter.pdf`, '_blank', 'noopener');
        break;
      case 'identity':
      case 'device':
      case 'note':
        setAsked({ what: action, row });
        break;
      case 'discontinue':
        setAsked({ what: 'reason', row });
        break;
      default:
        void perform(row, action);
    }
  }

  async function assign(row: BoardRow, device: number): Promise<void> {
    try {
      await call('PUT /api/v1/board/steps/{step}/device', {
        path: { step: row.step },
        body: { device, version: row.version },
      });
      notify.done(say('doneDevice', { name: nameOf(row) }));
      close();
    } catch (error) {
      notify.failed(error);
    }
  }

  const dialogs = (
    <>
      {asked?.what === 'identity' ? (
        <IdentityDialog
          row={asked.row}
          onClose={close}
          onConfirm={(document) => void perform(asked.row, 'identity', { document })}
        />
      ) : null}
      {asked?.what === 'unchecked' ? (
        <UncheckedDialog
          row={asked.row}
          onClose={close}
          onCheck={() => setAsked({ what: 'identity', row: asked.row })}
          onConfirm={(reason) => void perform(asked.row, 'start', { reason })}
        />
      ) : null}
      {asked?.what === 'reason' ? (
        <ReasonDialog
          row={asked.row}
          onClose={close}
          onConfirm={(reason) => void perform(asked.row, 'discontinue', { reason })}
        />
      ) : null}
      {asked?.what === 'device' ? (
        <DeviceDialog
          row={asked.row}
          onClose={close}
          onConfirm={(device) => void assign(asked.row, device)}
        />
      ) : null}
      {asked?.what === 'note' ? <NoteDialog row={asked.row} onClose={close} reread={options.reread} /> : null}
      {asked?.what === 'safety' ? (
        <SafetyDialog
          request={asked.row.request}
          name={nameOf(asked.row)}
          onClose={close}
          onFree={() => {
            if (asked.next === null) close();
            else void perform(asked.row, asked.next);
          }}
        />
      ) : null}
    </>
  );
  return { onAction, dialogs };
}
