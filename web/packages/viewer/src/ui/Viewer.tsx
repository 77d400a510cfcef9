import {
  activeSet,
  type Bindings,
  keymap,
  type MessageKey,
  messagesFor,
  type Preferences,
  paneCount,
  readShortcut,
  run,
  type StudyInfo,
  say,
} from '@negatoscope/viewer-core';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { loadPriors, loadStudy, Refused } from '../data/client';
import { setMeasureLanguage } from '../engine/measures';
import { Session } from '../engine/session';
import { setAskText } from '../engine/tools';
import { Context, useViewer, useViewerState, type ViewerContext } from './context';
import { type Asked, AskText, BreakGlass, VolumeWarning } from './Dialogs';
import { Help } from './Help';
import { Pane } from './Pane';
import { PlanePane } from './PlanePane';
import { SeriesPanel } from './SeriesPanel';
import { Toolbar } from './Toolbar';
import './viewer.css';

export interface ViewerProps {
  /** Study Instance UIDs: the first is read, the others are compared with it. */
  readonly studies: readonly string[];
  readonly language: string;
  /** ``full`` for who reads images for a living. */
  readonly level: 'basic' | 'full';
  readonly preferences: Preferences;
  readonly onPreferences: (preferences: Preferences) => void;
  readonly onBack?: (() => void) | undefined;
  readonly onSignedOut: () => void;
  /** Asks for emergency access to a study, with a reason: whether it was given. Absent for who has no such right. */
  readonly onBreakGlass?: ((study: string, reason: string) => Promise<boolean>) | undefined;
  readonly onTitle?: ((study: StudyInfo) => void) | undefined;
}

/** The viewer's element carries its session: what automated tests, and nothing else, look at. */
interface ViewerElement extends HTMLDivElement {
  negatoscope?: Session;
}

interface Failure {
  readonly key: MessageKey;
  readonly study: string;
  readonly isOutOfScope: boolean;
}

function failureOf(error: unknown, study: string): Failure {
  if (error instanceof Refused) {
    if (error.status === 403)
      return { key: 'status.forbidden', study, isOutOfScope: error.code === 'outside-scope' };
    if (error.status === 404) return { key: 'status.notFound', study, isOutOfScope: false };
  }
  return { key: 'trouble.network', study, isOutOfScope: false };
}

const SMALL = '(max-width: 900px)';

/** The viewer: everything between a Study Instance UID and pictures. */
export function Viewer(props: ViewerProps): ReactNode {
  const { studies, language, level, preferences, onPreferences, onSignedOut, onBreakGlass, onTitle } = props;
  const [notice, setNotice] = useState<MessageKey | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [priors, setPriors] = useState<readonly StudyInfo[] | null>(null);
  const [session, setSession] = useState<Session | null>(null);
  const [attempt, setAttempt] = useState(0);
  const first = useRef(preferences);
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    setMeasureLanguage(language);
    session?.redraw();
  }, [language, session]);

  // A session for as long as this page is shown.
  const signedOut = useRef(onSignedOut);
  signedOut.current = onSignedOut;
  useEffect(() => {
    const made = new Session(
      matchMedia(SMALL).matches ? { ...first.current, isSidebarOpen: false, layout: '1x1' } : first.current,
      { signedOut: () => signedOut.current(), notice: setNotice },
    );
    made.setRoot(root.current);
    if (root.current) (root.current as ViewerElement).negatoscope = made;
    setAskText(
      (before) =>
        new Promise((resolve) => {
          setAsked({
            before,
            answer: (text) => {
              setAsked(null);
              resolve(text);
            },
          });
        }),
    );
    setSession(made);
    return () => {
      setSession(null);
      made.dispose();
    };
  }, []);

  // Studies that are asked for; once more after emergency access.
  const wanted = studies.join('\\');
  const titled = useRef(onTitle);
  titled.current = onTitle;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks again
  useEffect(() => {
    if (session === null) return;
    const stop = new AbortController();
    const { store } = session;
    setFailure(null);
    session.expectFirst();
    const load = async (uid: string, isFirst: boolean) => {
      try {
        await loadStudy(uid, stop.signal, {
          opened: (study) => {
            store.dispatch({ type: 'studyOpened', study });
            if (isFirst) titled.current?.(study);
          },
          series: (study, sets) => store.dispatch({ type: 'seriesLoaded', study, sets }),
          shown: () => session.untilFirst(activeSet(store.get())?.kind === 'images' ? 4000 : 0),
        });
        const study = store.get().studies[uid];
        if (isFirst && study) setPriors(await loadPriors(study, stop.signal).catch(() => []));
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof Refused && error.status === 401) signedOut.current();
        else setFailure(failureOf(error, uid));
      }
    };
    const [head, ...others] = wanted.split('\\').filter(Boolean);
    if (head !== undefined) {
      void load(head, true).then(() => Promise.all(others.map((uid) => load(uid, false))));
    }
    return () => {
      stop.abort();
      for (const uid of store.get().studyOrder) {
        store.dispatch({ type: 'studyClosed', study: uid });
        session.forget(uid);
      }
    };
  }, [session, wanted, attempt]);

  useEffect(() => {
    if (notice === null) return;
    const timer = window.setTimeout(() => setNotice(null), 4000);
    return () => window.clearTimeout(timer);
  }, [notice]);

  const compare = useCallback(
    async (study: StudyInfo) => {
      if (session === null) return;
      const { store } = session;
      const uid = study.studyInstanceUID;
      let isPlaced = false;
      try {
        await loadStudy(uid, new AbortController().signal, {
          shown: () => Promise.resolve(),
          opened: (found) => store.dispatch({ type: 'studyOpened', study: found }),
          series: (of, sets) => {
            store.dispatch({ type: 'seriesLoaded', study: of, sets });
            const images = sets.find(({ kind }) => kind === 'images');
            if (isPlaced || images === undefined) return;
            isPlaced = true;
            if (paneCount(store.get().layout) < 2) store.dispatch({ type: 'layout', layout: '1x2' });
            store.dispatch({ type: 'place', pane: 1, displaySetId: images.id });
            store.dispatch({ type: 'activate', pane: 0 });
            store.dispatch({ type: 'link', isLinked: true });
          },
        });
      } catch (error) {
        if (error instanceof Refused && error.status === 401) signedOut.current();
        else setNotice(failureOf(error, uid).key);
      }
    },
    [session],
  );

  const context = useMemo<ViewerContext | null>(
    () =>
      session === null
        ? null
        : { session, language, level, bindings: preferences.shortcuts, notice: setNotice },
    [session, language, level, preferences.shortcuts],
  );
  const words = messagesFor(language);

  return (
    <div className="nv-viewer" ref={root} lang={language}>
      {context === null || session === null ? null : (
        <Context value={context}>
          <Keys />
          <Remember preferences={preferences} onPreferences={onPreferences} />
          <Toolbar onBack={props.onBack} />
          <Body priors={priors} onCompare={compare} />
          <ShownDialog onBindings={(shortcuts: Bindings) => onPreferences({ ...preferences, shortcuts })} />
          {asked === null ? null : <AskText asked={asked} />}
          {failure === null ? null : (
            <div className="nv-failure" role="alert">
              <p>{say(words, failure.key)}</p>
              {failure.isOutOfScope && onBreakGlass ? (
                <BreakGlass
                  onAsk={(reason) => onBreakGlass(failure.study, reason)}
                  onOpened={() => setAttempt((count) => count + 1)}
                />
              ) : null}
            </div>
          )}
        </Context>
      )}
      {studies.length === 0 ? <p className="nv-failure">{say(words, 'status.noStudy')}</p> : null}
      <output className="nv-notice" aria-live="polite" data-shown={notice !== null}>
        {notice === null ? '' : say(words, notice)}
      </output>
    </div>
  );
}

/** Shortcuts: everywhere on the page but in fields. */
function Keys(): ReactNode {
  const { session, bindings, level, notice } = useViewer();
  useEffect(() => {
    const map = keymap(bindings);
    const press = (event: KeyboardEvent) => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.closest('input:not([type=range]), textarea, select, dialog, [role=menu]')) return;
      const shortcut = readShortcut(event);
      const one = shortcut === null ? undefined : map.get(shortcut);
      if (one === undefined || (level === 'basic' && one.level === 'full')) return;
      if (shortcut === 'Space' && target?.closest('button')) return; // presses the button
      event.preventDefault();
      const { store, effects } = session;
      const state = store.get();
      if (state.volume !== null && one.group === 'navigate' && inPlanes(session, one.id)) return;
      const why = run(one, { state, dispatch: store.dispatch, effects });
      if (why !== null) notice(why);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [session, bindings, level, notice]);
  return null;
}

const STEPS: Readonly<Record<string, number>> = {
  'navigate.next': 1,
  'navigate.previous': -1,
  'navigate.nextTen': 10,
  'navigate.previousTen': -10,
};

/** Keys that scroll, in the planes of a volume. */
function inPlanes(session: Session, id: string): boolean {
  const by = STEPS[id];
  if (by === undefined) return false;
  session.planes.scroll(session.store.get().activePane, by);
  return true;
}

/** Keeps what a person chose. */
function Remember(props: {
  readonly preferences: Preferences;
  readonly onPreferences: (preferences: Preferences) => void;
}): ReactNode {
  const { preferences, onPreferences } = props;
  const layout = useViewerState((state) => state.layout);
  const overlays = useViewerState((state) => state.overlays);
  const isSidebarOpen = useViewerState((state) => state.isSidebarOpen);
  const last = useRef(preferences);
  last.current = preferences;
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    const timer = window.setTimeout(() => {
      const isSmall = matchMedia(SMALL).matches;
      onPreferences({
        ...last.current,
        overlays,
        ...(isSmall ? {} : { layout, isSidebarOpen }),
      });
    }, 1000);
    return () => window.clearTimeout(timer);
  }, [layout, overlays, isSidebarOpen, onPreferences]);
  return null;
}

function Body(props: {
  readonly priors: readonly StudyInfo[] | null;
  readonly onCompare: (study: StudyInfo) => void;
}): ReactNode {
  const { session } = useViewer();
  const isOpen = useViewerState((state) => state.isSidebarOpen);
  const layout = useViewerState((state) => state.layout);
  const isVolume = useViewerState((state) => state.volume !== null);
  const grid = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = grid.current;
    if (element === null) return;
    let asked = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(() => session.resize());
    });
    observer.observe(element);
    return () => {
      cancelAnimationFrame(asked);
      observer.disconnect();
    };
  }, [session]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: panes changed their size with the layout
  useEffect(() => {
    const asked = requestAnimationFrame(() => session.resize());
    return () => cancelAnimationFrame(asked);
  }, [session, layout, isVolume]);
  const close = (study: string) => {
    session.store.dispatch({ type: 'studyClosed', study });
    session.forget(study);
  };
  return (
    <div className="nv-body">
      {isOpen ? <SeriesPanel priors={props.priors} onCompare={props.onCompare} onClose={close} /> : null}
      <main className="nv-grid" data-layout={isVolume ? '2x2' : layout} ref={grid}>
        {isVolume
          ? [0, 1, 2, 3].map((plane) => <PlanePane key={`plane-${plane}`} plane={plane} />)
          : Array.from({ length: paneCount(layout) }, (_, pane) => `pane-${pane}`).map((key, pane) => (
              <Pane key={key} pane={pane} />
            ))}
      </main>
    </div>
  );
}

function ShownDialog(props: { readonly onBindings: (bindings: Bindings) => void }): ReactNode {
  const { session } = useViewer();
  const dialog = useViewerState((state) => state.dialog);
  const close = () => session.store.dispatch({ type: 'dialog', dialog: null });
  if (dialog === 'help') return <Help onClose={close} onBindings={props.onBindings} />;
  if (dialog === 'volumeWarning') return <VolumeWarning />;
  return null;
}
