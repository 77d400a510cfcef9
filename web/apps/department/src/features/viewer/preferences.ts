import { request } from '@negatoscope/api-client';
import { type Preferences, readPreferences } from '@negatoscope/viewer-core';

const ALL = '/api/v1/me/preferences';
const PATH = `${ALL}/viewer`;
const KEY = 'negatoscope.viewer';

function kept(): unknown {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** What was chosen before: this browser's memory at once, the account's when it answers. */
export const rememberedPreferences = (): Preferences => readPreferences(kept());

/** The account's; null when the server keeps none. */
export async function loadPreferences(signal: AbortSignal): Promise<Preferences | null> {
  try {
    const response = await request(ALL, { signal });
    const stored: unknown = await response.json();
    if (typeof stored !== 'object' || stored === null || !('viewer' in stored)) return null;
    return readPreferences(stored.viewer);
  } catch {
    return null;
  }
}

/** Keep them, for the account and for the next visit from this browser. */
export async function savePreferences(preferences: Preferences): Promise<void> {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // A browser that keeps nothing.
  }
  try {
    await request(PATH, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(preferences),
    });
  } catch {
    // A server that keeps none: this browser's memory has to do.
  }
}
