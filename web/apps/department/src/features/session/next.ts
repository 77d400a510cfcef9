/**
 * Where to go after the sign-in: a path of this site, whatever the address says.
 *
 * @param wanted As it came in the address; anything else than a path here becomes `/`.
 */
export function localPath(wanted: unknown): string {
  if (typeof wanted !== 'string' || !wanted.startsWith('/') || wanted.length > 2000) return '/';
  let url: URL;
  try {
    url = new URL(wanted, 'http://here.invalid');
  } catch {
    return '/';
  }
  // `//host`, `/\host` and tabs within them are other sites to a browser.
  if (url.origin !== 'http://here.invalid' || url.pathname.startsWith('//')) return '/';
  if (url.pathname === '/sign-in') return '/';
  return url.pathname + url.search + url.hash;
}

/** Whether a path is answered by something else of the server than this application. */
export function isElsewhere(path: string): boolean {
  return /^\/(ohif|api|dicom-web)(\/|$|\?)/.test(path);
}
