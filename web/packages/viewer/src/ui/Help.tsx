import {
  actionsFor,
  type Bindings,
  GROUPS,
  keymap,
  keysOf,
  readShortcut,
  sayShortcut,
  type ViewerAction,
} from '@negatoscope/viewer-core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useViewer, useWords } from './context';
import { Icon } from './Icon';

/** Every shortcut, read from the registry; a click gives one another key. */
export function Help(props: {
  readonly onClose: () => void;
  readonly onBindings: (bindings: Bindings) => void;
}): ReactNode {
  const { onClose, onBindings } = props;
  const { language, level, bindings } = useViewer();
  const { say } = useWords();
  const [changing, setChanging] = useState<ViewerAction | null>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    if (changing === null) return;
    const take = (event: KeyboardEvent) => {
      const shortcut = readShortcut(event);
      if (shortcut === null) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      setChanging(null);
      if (shortcut === 'Escape') return;
      const taken = keymap(bindings).get(shortcut);
      const next: Record<string, readonly string[]> = { ...bindings, [changing.id]: [shortcut] };
      if (taken && taken.id !== changing.id) {
        next[taken.id] = keysOf(taken, bindings).filter((key) => key !== shortcut);
      }
      onBindings(next);
    };
    window.addEventListener('keydown', take, { capture: true });
    return () => window.removeEventListener('keydown', take, { capture: true });
  }, [changing, bindings, onBindings]);
  const actions = actionsFor(level);
  return (
    <dialog className="nv-dialog nv-help" ref={dialog} onClose={onClose} aria-label={say('help.title')}>
      <header>
        <h2>{say('help.title')}</h2>
        <button
          type="button"
          className="nv-button"
          aria-label={say('help.close')}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      <p className="nv-quiet">{say('help.mouse')}</p>
      <div className="nv-help-groups">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{say(`group.${group}`)}</h3>
            <dl>
              {actions
                .filter((one) => one.group === group)
                .map((one) => (
                  <div key={one.id}>
                    <dt>{say(one.label)}</dt>
                    <dd>
                      <button
                        type="button"
                        className="nv-key"
                        title={say('help.change')}
                        onClick={() => setChanging(one)}
                      >
                        {changing?.id === one.id
                          ? say('help.press')
                          : keysOf(one, bindings).map((key) => (
                              <kbd key={key}>{sayShortcut(key, language)}</kbd>
                            ))}
                      </button>
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <footer>
        <span className="nv-quiet">{say('help.change')}</span>
        <button type="button" className="nv-plain" onClick={() => onBindings({})}>
          {say('help.default')}
        </button>
      </footer>
    </dialog>
  );
}
