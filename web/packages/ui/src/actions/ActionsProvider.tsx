import {
  createContext,
  type ReactNode,
  use,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';
import { Palette } from './Palette';
import { type Action, ActionRegistry } from './registry';
import { ShortcutHelp } from './ShortcutHelp';

const Context = createContext<ActionRegistry | null>(null);

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio]), textarea, select'))
  );
}

/** Listens to the keyboard for every action; holds the palette (`mod+k`) and the help (`?`). */
export function ActionsProvider(props: { readonly children: ReactNode }): ReactNode {
  const [registry] = useState(() => new ActionRegistry());
  const [open, setOpen] = useState<'palette' | 'help' | null>(null);

  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.isComposing) return;
      // A dialog has the keyboard for itself.
      if (document.querySelector('[role=dialog][aria-modal=true]') !== null) return;
      if (registry.press(event, isTyping(event.target), event.timeStamp)) event.preventDefault();
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [registry]);

  useEffect(
    () =>
      registry.add([
        {
          id: 'palette',
          label: { en: 'Search commands', fr: 'Chercher une commande' },
          shortcut: 'mod+k',
          isHidden: true,
          perform: () => setOpen('palette'),
        },
        {
          id: 'help',
          label: { en: 'Keyboard shortcuts', fr: 'Raccourcis clavier' },
          shortcut: '?',
          perform: () => setOpen('help'),
        },
      ]),
    [registry],
  );

  return (
    <Context value={registry}>
      {props.children}
      <Palette registry={registry} opened={open === 'palette'} onClose={() => setOpen(null)} />
      <ShortcutHelp registry={registry} opened={open === 'help'} onClose={() => setOpen(null)} />
    </Context>
  );
}

export function useActionRegistry(): ActionRegistry {
  const registry = use(Context);
  if (registry === null) throw new Error('a component with actions stands outside ActionsProvider');
  return registry;
}

/** Declare actions for as long as the component is there. Memoize the array (`useMemo`). */
export function useActions(actions: readonly Action[]): void {
  const registry = useActionRegistry();
  useEffect(() => registry.add(actions), [registry, actions]);
}

/** Do an action by its id, as a menu or a button does; nothing happens when it is not there. */
export function usePerform(): (id: string) => void {
  const registry = useActionRegistry();
  return useMemo(
    () => (id: string) => {
      const action = registry.list().find((one) => one.id === id);
      if (action !== undefined && action.isEnabled !== false) action.perform();
    },
    [registry],
  );
}

/** Every action there is now. */
export function useActionList(registry: ActionRegistry): readonly Action[] {
  return useSyncExternalStore(registry.subscribe, registry.list);
}

/** The words for keys, in the reader's language. */
export function useKeyNames(): (key: string) => string {
  const say = useMessages(messages);
  return useMemo(() => {
    const mac = /mac|iphone|ipad/i.test(navigator.userAgent);
    const names: Readonly<Record<string, string>> = {
      mod: mac ? '⌘' : say('key_mod'),
      shift: say('key_shift'),
      alt: say('key_alt'),
      escape: say('key_escape'),
      enter: say('key_enter'),
      delete: say('key_delete'),
      ' ': say('key_space'),
      arrowup: '↑',
      arrowdown: '↓',
      arrowleft: '←',
      arrowright: '→',
    };
    return (key: string) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  }, [say]);
}
