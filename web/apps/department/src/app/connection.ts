import { listen } from '@negatoscope/api-client';
import { useSyncExternalStore } from 'react';
import { queryClient } from './queryClient';

/** The fate of the connection, as the last answers tell it. */
export interface Connection {
  readonly isLost: boolean;
  /** The session ended while pages were open. */
  readonly isSignedOut: boolean;
  /** A newer build is on the server than the one that runs here. */
  readonly isOutdated: boolean;
  /** A part of this build could not be fetched. */
  readonly isBroken: boolean;
  /** Milliseconds since 1970 of the next question, while it is lost. */
  readonly nextAt: number;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
const ASK_MS = 5_000;
/** Answered without a session once the database can be read. */
const PROBE = '/readyz';
const BUILD = '/build.json';

let state: Connection = { isLost: false, isSignedOut: false, isOutdated: false, isBroken: false, nextAt: 0 };
let waitMs = FIRST_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function set(change: Partial<Connection>): void {
  const next = { ...state, ...change };
  if (Object.entries(change).every(([key, value]) => state[key as keyof Connection] === value)) return;
  state = next;
  for (const listener of listeners) listener();
}

function schedule(): void {
  clearTimeout(timer);
  set({ nextAt: Date.now() + waitMs });
  timer = setTimeout(askNow, waitMs);
  waitMs = Math.min(waitMs * 2, LONGEST_MS);
}

function lose(): void {
  if (state.isLost) return;
  set({ isLost: true });
  schedule();
}

/** Ask the server whether it is back. */
export async function askNow(): Promise<void> {
  clearTimeout(timer);
  try {
    const answer = await fetch(PROBE, { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS) });
    if (answer.ok) {
      found();
      return;
    }
  } catch {
    // Not yet.
  }
  schedule();
}

function found(): void {
  clearTimeout(timer);
  waitMs = FIRST_MS;
  const wasLost = state.isLost;
  set({ isLost: false });
  if (!wasLost) return;
  void queryClient.invalidateQueries();
  void checkBuild();
}

/** Whether the server was given another build; asked when the page is seen again. */
async function checkBuild(): Promise<void> {
  try {
    const answer = await fetch(BUILD, { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS) });
    if (!answer.ok) return;
    const said = (await answer.json()) as { build?: unknown };
    if (typeof said.build === 'string' && said.build !== __BUILD__) set({ isOutdated: true });
  } catch {
    // Asked again another time.
  }
}

/** Somebody signed in again. */
export function signedInAgain(): void {
  set({ isSignedOut: false });
}

/** Begin to listen; once, when the application starts. */
export function watchConnection(hadSession: () => boolean): void {
  listen((event) => {
    if (event === 'unreachable') {
      lose();
    } else if (event === 'reached') {
      found();
    } else if (event === 'unauthenticated' && hadSession()) {
      set({ isSignedOut: true });
    }
  });
  // A page of this build that is no longer there, or a network that is away.
  window.addEventListener('vite:preloadError', () => {
    set({ isBroken: true });
    void checkBuild();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void checkBuild();
  });
  window.addEventListener('offline', lose);
  window.addEventListener('online', () => {
    if (state.isLost) void askNow();
  });
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
