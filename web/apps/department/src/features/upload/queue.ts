/** What became of a file. */
export type UploadState = 'waiting' | 'sending' | 'stored' | 'aside' | 'failed' | 'cancelled';

export interface Upload {
  readonly id: number;
  readonly file: File;
  /** With its folders, as it was dropped. */
  readonly path: string;
  state: UploadState;
  /** Bytes sent of the attempt under way. */
  sent: number;
  /** Why it failed: a code of docs/http.md or a Failure Reason as four hexadecimal digits. */
  reason: string | null;
  /** Where it is now. */
  study: string | null;
}

export interface Totals {
  readonly count: number;
  readonly bytes: number;
  readonly doneBytes: number;
  readonly by: Readonly<Record<UploadState, number>>;
}

/** How one file is sent; another in tests. */
export type Sender = (
  file: File,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly retryAfter: number | null; readonly body: unknown }>;

export const CONCURRENCY = 3;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const PROGRESS_MS = 150;

/**
 * Files on their way, a few at a time. What a lost connection or a busy server interrupts is sent
 * again by itself; what the archive refuses is kept with the reason.
 */
export class UploadQueue {
  readonly uploads: Upload[] = [];
  isPaused = false;
  /** Milliseconds since 1970 of the next attempt while the server is away. */
  waitsUntil: number | null = null;
  /** Somebody must sign in before anything goes on. */
  needsSignIn = false;
  readonly #send: Sender;
  readonly #running = new Map<Upload, AbortController>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #next = 0;
  #waitMs = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(send: Sender) {
    this.#send = send;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes with everything that is seen. */
  readonly version = (): number => this.#version;

  get isBusy(): boolean {
    return this.uploads.some((one) => one.state === 'waiting' || one.state === 'sending');
  }

  add(files: readonly { readonly file: File; readonly path: string }[]): void {
    for (const { file, path } of files) {
      const id = this.#next++;
      this.uploads.push({ id, file, path, state: 'waiting', sent: 0, reason: null, study: null });
    }
    this.#changed();
    this.#go();
  }

  pause(): void {
    this.isPaused = true;
    for (const [upload, controller] of this.#running) {
      upload.state = 'waiting';
      controller.abort();
    }
    this.#changed();
  }

  resume(): void {
    this.isPaused = false;
    this.needsSignIn = false;
    this.#retryNow();
  }

  /** Give up what is not sent yet. */
  cancel(): void {
    for (const upload of this.uploads)
      if (upload.state === 'waiting' || upload.state === 'sending') {
        upload.state = 'cancelled';
        this.#running.get(upload)?.abort();
      }
    this.#changed();
  }

  /** Send again what failed or was given up; one file, or all. */
  retry(only?: Upload): void {
    for (const upload of only === undefined ? this.uploads : [only])
      if (upload.state === 'failed' || upload.state === 'cancelled') {
        upload.state = 'waiting';
        upload.sent = 0;
        upload.reason = null;
      }
    this.isPaused = false;
    this.needsSignIn = false;
    this.#retryNow();
  }

  /** Forget what is over. */
  clear(): void {
    const left = this.uploads.filter((one) => one.state === 'waiting' || one.state === 'sending');
    this.uploads.splice(0, this.uploads.length, ...left);
    this.#changed();
  }

  totals(): Totals {
    const by = { waiting: 0, sending: 0, stored: 0, aside: 0, failed: 0, cancelled: 0 };
    let bytes = 0;
    let doneBytes = 0;
    for (const one of this.uploads) {
      by[one.state] += 1;
      bytes += one.file.size;
      doneBytes += one.state === 'waiting' ? 0 : one.state === 'sending' ? one.sent : one.file.size;
    }
    return { count: this.uploads.length, bytes, doneBytes, by };
  }

  #retryNow(): void {
    clearTimeout(this.#timer);
    this.waitsUntil = null;
    this.#waitMs = FIRST_WAIT_MS;
    this.#changed();
    this.#go();
  }

  #go(): void {
    if (this.isPaused || this.waitsUntil !== null || this.needsSignIn) return;
    for (const upload of this.uploads) {
      if (this.#running.size >= CONCURRENCY) return;
      if (upload.state === 'waiting' && !this.#running.has(upload)) void this.#run(upload);
    }
  }

  async #run(upload: Upload): Promise<void> {
    const controller = new AbortController();
    this.#running.set(upload, controller);
    upload.state = 'sending';
    upload.sent = 0;
    this.#changed();
    try {
      const answer = await this.#send(
        upload.file,
        (sent) => {
          upload.sent = sent;
          this.#soon();
        },
        controller.signal,
      );
      this.#take(upload, answer);
    } catch {
      if (upload.state === 'sending') {
        // The connection broke, or the file cannot be read any more.
        if (await isReadable(upload.file)) this.#wait(upload, null);
        else fail(upload, 'file-gone');
      }
    } finally {
      this.#running.delete(upload);
      this.#changed();
      this.#go();
    }
  }

  #take(upload: Upload, answer: Awaited<ReturnType<Sender>>): void {
    if (upload.state !== 'sending') return;
    const { status, body } = answer;
    if (status === 401) {
      upload.state = 'waiting';
      this.needsSignIn = true;
    } else if (status === 0 || status === 502 || status === 503 || status === 504 || status === 429) {
      this.#wait(upload, answer.retryAfter);
    } else {
      this.#waitMs = FIRST_WAIT_MS;
      const read = readResponse(body);
      upload.study = read.study;
      if (status === 200) upload.state = 'stored';
      else if (status === 202 && read.reason !== null && read.isStored) {
        upload.state = 'aside';
        upload.reason = read.reason;
      } else if (status === 202 && read.isStored) upload.state = 'stored';
      else fail(upload, read.reason ?? codeOf(body) ?? `status-${status}`);
    }
  }

  #wait(upload: Upload, retryAfter: number | null): void {
    upload.state = 'waiting';
    upload.sent = 0;
    if (this.waitsUntil !== null) return;
    const ms = retryAfter === null ? this.#waitMs : Math.min(retryAfter * 1000, LONGEST_WAIT_MS);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    this.waitsUntil = Date.now() + ms;
    this.#timer = setTimeout(() => {
      this.waitsUntil = null;
      this.#changed();
      this.#go();
    }, ms);
  }

  #changed(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }

  #soon(): void {
    this.#telling ??= setTimeout(() => this.#changed(), PROGRESS_MS);
  }
}

function fail(upload: Upload, reason: string): void {
  upload.state = 'failed';
  upload.reason = reason;
}

async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

type Item = Readonly<Record<string, { readonly Value?: readonly unknown[] } | undefined>>;

/** The Store Instances Response Module (PS3.18 §I.2) of one file. */
export function readResponse(body: unknown): {
  readonly isStored: boolean;
  readonly reason: string | null;
  readonly study: string | null;
} {
  const document = (typeof body === 'object' && body !== null ? body : {}) as Item;
  const first = (tag: string): Item | undefined => document[tag]?.Value?.[0] as Item | undefined;
  const stored = first('00081199');
  const refused = first('00081198') ?? first('0008119A');
  const code = refused?.['00081197']?.Value?.[0] ?? stored?.['00081196']?.Value?.[0];
  const url = stored?.['00081190']?.Value?.[0];
  const study = typeof url === 'string' ? (/\/studies\/([0-9.]+)/.exec(url)?.[1] ?? null) : null;
  return {
    isStored: stored !== undefined,
    reason: typeof code === 'number' ? code.toString(16).toUpperCase().padStart(4, '0') : null,
    study,
  };
}

function codeOf(body: unknown): string | null {
  const code = typeof body === 'object' && body !== null ? (body as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : null;
}
