import { useEffect, useRef, useState } from 'react';

/** Changes come in bursts: they are read together. */
const GATHER_MS = 200;
const MOST_CHANGED = 400;
const AGAIN_MS = 10_000;

/** Numbers of what changed, as the stream of events tells them. */
export interface Change {
  readonly request: number | null;
  readonly procedure: number | null;
  readonly step: number | null;
  readonly appointment: number | null;
}

export interface Told {
  readonly changes: readonly Change[];
  readonly studies: readonly { readonly study_instance_uid: string; readonly count: number }[];
}

/** Hear of changes while the page is seen; comes back when it was cut off. `onMissed` when something was missed. */
export function useChanges(listener: {
  readonly onChanges: (told: Told) => void;
  readonly onMissed: () => void;
}): boolean {
  const latest = useRef(listener);
  latest.current = listener;
  const [isLive, setLive] = useState(false);
  useEffect(() => {
    let source: EventSource | null = null;
    let wasOpen = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let changes: Change[] = [];
    let studies: Told['studies'][number][] = [];

    function take(told: Told): void {
      changes.push(...told.changes);
      studies.push(...told.studies);
      timer ??= setTimeout(() => {
        timer = undefined;
        const gathered = { changes, studies };
        changes = [];
        studies = [];
        if (gathered.changes.length > MOST_CHANGED) latest.current.onMissed();
        else latest.current.onChanges(gathered);
      }, GATHER_MS);
    }

    function open(): void {
      if (source !== null || document.visibilityState !== 'visible') return;
      if (wasOpen) latest.current.onMissed();
      source = new EventSource('/api/v1/board/events');
      source.addEventListener('open', () => {
        wasOpen = true;
        setLive(true);
      });
      source.addEventListener('error', () => {
        setLive(false);
        if (source?.readyState !== EventSource.CLOSED) return;
        source = null; // refused, not lost: the browser does not come back by itself
        clearTimeout(again);
        again = setTimeout(open, AGAIN_MS);
      });
      source.addEventListener('board', (event) => take(JSON.parse(event.data as string) as Told));
      source.addEventListener('resync', () => latest.current.onMissed());
      source.addEventListener('end', close);
    }

    function close(): void {
      source?.close();
      source = null;
      setLive(false);
    }

    function onVisibility(): void {
      if (document.visibilityState === 'visible') open();
      else close();
    }

    open();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      clearTimeout(timer);
      clearTimeout(again);
      close();
    };
  }, []);
  return isLive;
}
