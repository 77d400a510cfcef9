/** What is kept for a person from one visit to the next. */

import { type Bindings, readBindings } from './shortcuts';
import { LAYOUTS, type Layout, OVERLAYS, type Overlay, type ViewerState } from './state/model';

export interface Preferences {
  readonly version: 1;
  readonly shortcuts: Bindings;
  readonly layout: Layout;
  readonly overlays: Partial<Record<Overlay, boolean>>;
  /** ``stored`` asks for pixels as received, for who mistrusts a conversion. */
  readonly transfer: 'auto' | 'stored';
  readonly isSidebarOpen: boolean;
}

export const DEFAULTS: Preferences = {
  version: 1,
  shortcuts: {},
  layout: '1x1',
  overlays: {},
  transfer: 'auto',
  isSidebarOpen: true,
};

/** Preferences from whatever was stored; what cannot be understood is as if it had not been chosen. */
export function readPreferences(stored: unknown): Preferences {
  if (typeof stored !== 'object' || stored === null) return DEFAULTS;
  const found = stored as Record<string, unknown>;
  const overlays: Partial<Record<Overlay, boolean>> = {};
  if (typeof found['overlays'] === 'object' && found['overlays'] !== null) {
    for (const overlay of OVERLAYS) {
      const value = (found['overlays'] as Record<string, unknown>)[overlay];
      if (typeof value === 'boolean') overlays[overlay] = value;
    }
  }
  return {
    version: 1,
    shortcuts: readBindings(found['shortcuts']),
    layout: LAYOUTS.find((layout) => layout === found['layout']) ?? DEFAULTS.layout,
    overlays,
    transfer: found['transfer'] === 'stored' ? 'stored' : 'auto',
    isSidebarOpen: found['isSidebarOpen'] !== false,
  };
}

/** The state a person starts with. */
export const started = (state: ViewerState, preferences: Preferences): ViewerState => ({
  ...state,
  layout: preferences.layout,
  overlays: { ...state.overlays, ...preferences.overlays },
  isSidebarOpen: preferences.isSidebarOpen,
});
