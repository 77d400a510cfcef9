/** Every action of the viewer, declared once: toolbar, menus, shortcuts and help read this table. */

import { looking } from './actions/looking';
import { type ActionContext, GROUPS, type ViewerAction } from './actions/model';
import { moving } from './actions/moving';
import { working } from './actions/working';
import type { MessageKey } from './messages';

export { type ActionContext, type Effects, GROUPS, type Group, type ViewerAction } from './actions/model';

/** All of them, in the order of the help. */
export const ACTIONS: readonly ViewerAction[] = [...looking, ...moving, ...working].sort(
  (a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group),
);

const BY_ID = new Map(ACTIONS.map((action) => [action.id, action]));

/** The action of that name. Raises: RangeError when there is none. */
export function action(id: string): ViewerAction {
  const found = BY_ID.get(id);
  if (found === undefined) throw new RangeError(`no action ${id}`);
  return found;
}

/** What somebody is offered. */
export const actionsFor = (level: 'basic' | 'full'): readonly ViewerAction[] =>
  ACTIONS.filter((one) => level === 'full' || one.level === 'basic');

/** Do it, unless it cannot be done now: then the reason is given. */
export function run(one: ViewerAction, context: ActionContext): MessageKey | null {
  const why = one.unavailable(context.state);
  if (why === null) one.perform(context);
  return why;
}
