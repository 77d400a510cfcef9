import { activeSet, bytesOf, volumeVerdict } from '@negatoscope/viewer-core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useViewer, useViewerState, useWords } from './context';

function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return dialog;
}

/** Said before a volume that is large, or cannot be held. */
export function VolumeWarning(): ReactNode {
  const { session, language } = useViewer();
  const { say } = useWords();
  const dialog = useModal();
  const set = useViewerState(activeSet);
  const limits = useViewerState((state) => state.limits);
  if (set === null) return null;
  const verdict = volumeVerdict(set, limits);
  const size = `${new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bytesOf(set) / 1e9)}\u00a0${language.startsWith('fr') ? 'Go' : 'GB'}`;
  const mayGoOn = !verdict.fits && verdict.reason === 'too-large';
  const { dispatch } = session.store;
  return (
    <dialog
      className="nv-dialog"
      ref={dialog}
      role="alertdialog"
      aria-label={say('group.volume')}
      onClose={() => dispatch({ type: 'dialog', dialog: null })}
    >
      <p>
        {mayGoOn || verdict.fits
          ? say('volume.large', { count: set.frames.length, size })
          : say(`why.volume.${verdict.reason}`)}
      </p>
      <footer>
        {mayGoOn ? (
          <button
            type="button"
            className="nv-plain"
            onClick={() => dispatch({ type: 'openVolume', isConfirmed: true })}
          >
            {say('volume.goOn')}
          </button>
        ) : null}
        <button type="button" className="nv-plain" onClick={() => dialog.current?.close()}>
          {say('volume.notNow')}
        </button>
      </footer>
    </dialog>
  );
}

export interface Asked {
  readonly before: string;
  readonly answer: (text: string | null) => void;
}

/** The text beside an arrow. */
export function AskText(props: { readonly asked: Asked }): ReactNode {
  const { before, answer } = props.asked;
  const { say } = useWords();
  const dialog = useModal();
  const [text, setText] = useState(before);
  return (
    <dialog
      className="nv-dialog"
      ref={dialog}
      onClose={() => answer(null)}
      aria-label={say('annotation.text')}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          answer(text.trim() || null);
        }}
      >
        <label>
          {say('annotation.text')}
          <input value={text} maxLength={200} autoFocus onChange={(event) => setText(event.target.value)} />
        </label>
      </form>
    </dialog>
  );
}

/** Emergency access: a reason is asked, and everybody is told that it is noted. */
export function BreakGlass(props: {
  readonly onAsk: (reason: string) => Promise<boolean>;
  readonly onOpened: () => void;
}): ReactNode {
  const { say } = useWords();
  const [reason, setReason] = useState('');
  const [state, setState] = useState<'closed' | 'asking' | 'waiting' | 'refused'>('closed');
  if (state === 'closed') {
    return (
      <button type="button" className="nv-plain" onClick={() => setState('asking')}>
        {say('status.breakGlass')}
      </button>
    );
  }
  return (
    <form
      className="nv-glass"
      onSubmit={(event) => {
        event.preventDefault();
        setState('waiting');
        props.onAsk(reason.trim()).then(
          (isOpen) => (isOpen ? props.onOpened() : setState('refused')),
          () => setState('refused'),
        );
      }}
    >
      <label>
        {say('glass.reason')}
        <textarea
          value={reason}
          rows={3}
          maxLength={1000}
          required
          // biome-ignore lint/a11y/noAutofocus: the person has just asked for it
          autoFocus
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <p className="nv-quiet">{say('glass.noted')}</p>
      {state === 'refused' ? <p role="alert">{say('glass.refused')}</p> : null}
      <button type="submit" className="nv-plain" disabled={state === 'waiting' || reason.trim() === ''}>
        {say('glass.open')}
      </button>
    </form>
  );
}
