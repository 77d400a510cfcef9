/** What actions ask of the page: drawings, the clipboard, files, the whole screen. */

import { utilities } from '@cornerstonejs/core';
import { annotation, ToolGroupManager } from '@cornerstonejs/tools';
import { activePane, automatic, type Effects, paneAt, type Tool } from '@negatoscope/viewer-core';
import { measuresAsText } from './measures';
import type { Session, SessionListener } from './session';
import { MEASURING_NAMES, STACK_GROUP, TOOL_NAMES } from './tools';

const history = utilities.HistoryMemo.DefaultHistoryMemo;

/** The effects of a session. */
export function makeEffects(session: Session, listener: SessionListener): Effects {
  return {
    undo: () => {
      history.undo();
      session.redraw();
    },
    redo: () => {
      history.redo();
      session.redraw();
    },
    removeSelected: () => removeSelected(session),
    copyMeasures: () => void copyMeasures(listener),
    screenshot: () => void screenshot(session),
    fullscreen: () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void session.root?.requestFullscreen().catch(() => undefined);
    },
    actualSize: () => session.stack(session.store.get().activePane)?.actualSize(),
    automaticWindow: () => {
      const pane = session.store.get().activePane;
      const values = session.stack(pane)?.viewport?.getCornerstoneImage()?.voxelManager?.getScalarData();
      const voi = values === undefined ? null : automatic(values);
      if (voi !== null) session.store.dispatch({ type: 'window', pane, voi });
    },
  };
}

interface Remembering {
  readonly constructor: { readonly createAnnotationMemo?: (...args: unknown[]) => unknown };
}

function removeSelected(session: Session): void {
  const element = session.stack(session.store.get().activePane)?.element;
  const group = ToolGroupManager.getToolGroup(STACK_GROUP);
  for (const uid of annotation.selection.getAnnotationsSelected()) {
    const one = annotation.state.getAnnotation(uid);
    const tool: unknown = group?.getToolInstance(one?.metadata?.toolName ?? '');
    const maker = (tool as Remembering | undefined)?.constructor;
    if (one && element) maker?.createAnnotationMemo?.(element, one, { deleting: true }); // so that it can be undone
    annotation.state.removeAnnotation(uid);
  }
  session.redraw();
}

const toolOf = (name: string): Tool | undefined =>
  (Object.entries(TOOL_NAMES) as [Tool, string][]).find(
    ([, toolName]) => toolName === name && MEASURING_NAMES.has(name),
  )?.[0];

async function copyMeasures(listener: SessionListener): Promise<void> {
  const text = measuresAsText(toolOf);
  if (text === '') listener.notice('status.nothingToCopy');
  else listener.notice((await copied(text)) ? 'status.copied' : 'status.notCopied');
}

/** Whether the text is in the clipboard. Over plain HTTP browsers only have the old way. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const isDone = document.execCommand('copy');
    area.remove();
    return isDone;
  }
}

async function screenshot(session: Session): Promise<void> {
  const state = session.store.get();
  const { activePane: pane } = state;
  const element = state.volume === null ? session.stack(pane)?.element : session.planes.elements().get(pane);
  const frame = element?.closest<HTMLElement>('[data-pane]');
  if (!frame) return;
  const { pictureOf } = await import('./picture');
  const blob = await pictureOf(frame);
  if (blob === null) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  const series = activePane(state).displaySetId?.split('/')[0] ?? 'image';
  link.download = `${series}-${paneAt(state, pane).index + 1}.png`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
