import { type Sender, UploadQueue } from './queue';

const ADDRESS = '/dicom-web/studies';

/** One Part 10 file by STOW-RS. `fetch` tells nothing of the progress of a body; this does. */
const send: Sender = (file, onProgress, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', ADDRESS);
    request.setRequestHeader('content-type', 'application/dicom');
    request.setRequestHeader('accept', 'application/dicom+json');
    request.responseType = 'text';
    request.upload.addEventListener('progress', (event) => onProgress(event.loaded));
    request.addEventListener('load', () => {
      const seconds = Number(request.getResponseHeader('retry-after') ?? Number.NaN);
      let body: unknown = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // Not from us: a proxy's page.
      }
      resolve({ status: request.status, retryAfter: Number.isFinite(seconds) ? seconds : null, body });
    });
    request.addEventListener('error', () => reject(new TypeError('no answer')));
    request.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });

/** One queue for the application: other pages may be opened while it works. */
export const uploadQueue = new UploadQueue(send);

window.addEventListener('beforeunload', (event) => {
  if (uploadQueue.isBusy) event.preventDefault();
});
window.addEventListener('online', () => {
  if (uploadQueue.waitsUntil !== null) uploadQueue.resume();
});
