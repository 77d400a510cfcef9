import { describe, expect, it, vi } from 'vitest';
import { CONCURRENCY, readResponse, type Sender, UploadQueue } from './queue';

const file = (name: string, size = 10): { file: File; path: string } => ({
  file: new File([new Uint8Array(size)], name),
  path: `folder/${name}`,
});
const stored = {
  '00081199': { vr: 'SQ', Value: [{ '00081190': { vr: 'UR', Value: ['/dicom-web/studies/1.2/series/3'] } }] },
};
const refused = { '0008119A': { vr: 'SQ', Value: [{ '00081197': { vr: 'US', Value: [0xc004] } }] } };
const answer = (status: number, body: unknown = {}, retryAfter: number | null = null) => ({
  status,
  body,
  retryAfter,
});
const states = (queue: UploadQueue): string[] => queue.uploads.map((one) => one.state);

describe('UploadQueue', () => {
  it('sends a few at a time and says of each what became of it', async () => {
    let most = 0;
    let now = 0;
    const send: Sender = async (one) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now -= 1;
      return one.name === 'bad' ? answer(409, refused) : answer(200, stored);
    };
    const queue = new UploadQueue(send);
    queue.add([...Array.from({ length: 8 }, (_, at) => file(`good ${at}`)), file('bad')]);
    await vi.waitFor(() => expect(queue.isBusy).toBe(false));
    expect(most).toBe(CONCURRENCY);
    expect(queue.totals().by).toMatchObject({ stored: 8, failed: 1 });
    expect(queue.uploads.at(-1)).toMatchObject({ state: 'failed', reason: 'C004' });
    expect(queue.uploads[0]?.study).toBe('1.2');
  });

  it('goes on by itself when the connection or the server comes back', async () => {
    vi.useFakeTimers();
    const answers = [
      () => Promise.reject(new TypeError('network')),
      () => Promise.resolve(answer(503, {}, 2)),
    ];
    const queue = new UploadQueue(async () => (answers.shift() ?? (async () => answer(200, stored)))());
    queue.add([file('one')]);
    await vi.advanceTimersByTimeAsync(10);
    expect(states(queue)).toEqual(['waiting']);
    expect(queue.waitsUntil).not.toBeNull();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(states(queue)).toEqual(['stored']);
    vi.useRealTimers();
  });

  it('pauses, goes on, gives up, tries again', async () => {
    const queue = new UploadQueue(
      (_file, _progress, signal) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => resolve(answer(200, stored)), 5);
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            reject(new DOMException('aborted', 'AbortError'));
          });
        }),
    );
    queue.add([file('a'), file('b'), file('c'), file('d')]);
    queue.pause();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(states(queue)).toEqual(['waiting', 'waiting', 'waiting', 'waiting']);
    queue.cancel();
    expect(states(queue)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
    queue.retry();
    await vi.waitFor(() => expect(states(queue)).toEqual(['stored', 'stored', 'stored', 'stored']));
  });

  it('waits for a sign-in instead of failing', async () => {
    let isSignedIn = false;
    const queue = new UploadQueue(async () => (isSignedIn ? answer(200, stored) : answer(401)));
    queue.add([file('a')]);
    await vi.waitFor(() => expect(queue.needsSignIn).toBe(true));
    isSignedIn = true;
    queue.resume();
    await vi.waitFor(() => expect(states(queue)).toEqual(['stored']));
  });

  it('tells what was kept aside from what was taken', () => {
    const aside = { '00081199': { Value: [{ '00081196': { Value: [0xb000] } }] } };
    expect(readResponse(aside)).toEqual({ isStored: true, reason: 'B000', study: null });
    expect(readResponse('<html>')).toEqual({ isStored: false, reason: null, study: null });
  });
});
