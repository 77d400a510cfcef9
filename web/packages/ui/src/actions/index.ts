export { ActionsProvider, useActionList, useActionRegistry, useActions, usePerform } from './ActionsProvider';
export { Keys } from './Keys';
export { type Action, ActionRegistry, folded } from './registry';
export { isStroke, type Pressed, parseShortcut, type Shortcut, type Stroke } from './shortcut';
