import { useEffect, useRef } from 'react';

interface Arrived {
  readonly studies: readonly { readonly study_instance_uid: string; readonly count: number }[];
}

/**
 * Hear of what arrives while the page is seen. The server ends the stream from time to time and with
 * the session; the browser comes back by itself, and `onMissed` is called when something was missed.
 */
export function useArrivals(listener: {
  readonly onArrivals: (studies: Arrived['studies']) => void;
  readonly onMissed: () => void;
}): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    let source: EventSource | null = null;
    let wasOpen = false;

    function open(): void {
      if (source !== null || document.visibilityState !== 'visible') return;
      if (wasOpen) latest.current.onMissed();
      source = new EventSource('/api/v1/events');
      source.addEventListener('open', () => {
        wasOpen = true;
      });
      source.addEventListener('arrivals', (event) => {
        const { studies } = JSON.parse(event.data as string) as Arrived;
        latest.current.onArrivals(studies);
      });
      source.addEventListener('resync', () => latest.current.onMissed());
      source.addEventListener('end', close);
    }

    function close(): void {
      source?.close();
      source = null;
    }

    function onVisibility(): void {
      if (document.visibilityState === 'visible') open();
      else close();
    }

    open();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      close();
    };
  }, []);
}
