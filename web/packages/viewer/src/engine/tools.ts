/** Cornerstone's tools, bound to the buttons and fingers of a person. */

import * as cornerstone from '@cornerstonejs/tools';
import type { Tool } from '@negatoscope/viewer-core';
import { measureTexts } from './measures';

const {
  addTool,
  AngleTool,
  ArrowAnnotateTool,
  CrosshairsTool,
  EllipticalROITool,
  LengthTool,
  PanTool,
  PlanarFreehandROITool,
  ProbeTool,
  RectangleROITool,
  StackScrollTool,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
} = cornerstone;

const { MouseBindings } = cornerstone.Enums;

export const STACK_GROUP = 'negatoscope-stack';
export const PLANE_GROUP = 'negatoscope-planes';

export const TOOL_NAMES: Readonly<Record<Tool, string>> = {
  window: WindowLevelTool.toolName,
  scroll: StackScrollTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  length: LengthTool.toolName,
  angle: AngleTool.toolName,
  ellipse: EllipticalROITool.toolName,
  rectangle: RectangleROITool.toolName,
  freehand: PlanarFreehandROITool.toolName,
  probe: ProbeTool.toolName,
  arrow: ArrowAnnotateTool.toolName,
  crosshair: CrosshairsTool.toolName,
};

export const MEASURING: readonly Tool[] = [
  'length',
  'angle',
  'ellipse',
  'rectangle',
  'freehand',
  'probe',
  'arrow',
];
/** Names of the tools whose drawings are kept. */
export const MEASURING_NAMES: ReadonlySet<string> = new Set(MEASURING.map((tool) => TOOL_NAMES[tool]));

type AskText = (before: string) => Promise<string | null>;
let askText: AskText = () => Promise.resolve(null);

/** Who asks for the text of an arrow. */
export function setAskText(ask: AskText): void {
  askText = ask;
}

function labelled(done: (text: string | null) => void, before: string): void {
  askText(before).then(done, () => done(null));
}

/** Make the tools known, once for the page. */
export function registerTools(): void {
  for (const tool of [
    AngleTool,
    ArrowAnnotateTool,
    CrosshairsTool,
    EllipticalROITool,
    LengthTool,
    PanTool,
    PlanarFreehandROITool,
    ProbeTool,
    RectangleROITool,
    StackScrollTool,
    WindowLevelTool,
    ZoomTool,
  ]) {
    addTool(tool);
  }
  const { style } = cornerstone.annotation.config;
  const defaults = style.getDefaultToolStyles();
  style.setDefaultToolStyles({ ...defaults, global: { ...defaults.global, ...STYLE } });
}

const STYLE = {
  color: 'rgb(255, 214, 64)',
  colorHighlighted: 'rgb(120, 220, 255)',
  colorSelected: 'rgb(120, 220, 255)',
  lineWidth: '1.5',
  textBoxColor: 'rgb(255, 224, 110)',
  textBoxColorHighlighted: 'rgb(150, 230, 255)',
  textBoxColorSelected: 'rgb(150, 230, 255)',
  textBoxFontSize: '14px',
  textBoxFontFamily: 'system-ui, sans-serif',
  textBoxBackground: 'rgba(0, 0, 0, 0.55)',
};

const PLANE_COLOURS = ['rgb(255, 110, 110)', 'rgb(110, 220, 130)', 'rgb(120, 170, 255)'];

/** A group of viewports that share their tools, made anew. */
export function makeGroup(id: string, withCross: boolean): cornerstone.Types.IToolGroup {
  ToolGroupManager.destroyToolGroup(id);
  const group = ToolGroupManager.createToolGroup(id);
  if (group === undefined) throw new Error(`no tool group ${id}`);
  for (const tool of [WindowLevelTool, StackScrollTool, PanTool, ZoomTool]) group.addTool(tool.toolName);
  for (const tool of MEASURING) {
    const configuration: Record<string, unknown> = { getTextLines: measureTexts(tool) };
    if (tool === 'arrow') {
      configuration['getTextCallback'] = (done: (text: string | null) => void) => labelled(done, '');
      configuration['changeTextCallback'] = (
        drawn: { data: { label?: string } },
        _event: unknown,
        done: (text: string | null) => void,
      ) => labelled(done, drawn.data.label ?? '');
      configuration['preventHandleOutsideImage'] = true;
    }
    if (tool === 'freehand') configuration['calculateStats'] = true;
    group.addTool(TOOL_NAMES[tool], configuration);
  }
  if (withCross) {
    group.addTool(CrosshairsTool.toolName, {
      getReferenceLineColor: (viewportId: string) =>
        PLANE_COLOURS[Number(viewportId.at(-1))] ?? 'rgb(200, 200, 200)',
      getReferenceLineControllable: () => true,
      getReferenceLineDraggableRotatable: () => true,
      getReferenceLineSlabThicknessControlsOn: () => false,
      handleRadius: 6,
    });
  }
  return group;
}

/** Gives the primary button and one finger to a tool; the other buttons keep what they do. */
export function bind(groupId: string, tool: Tool): void {
  const group = ToolGroupManager.getToolGroup(groupId);
  if (group === undefined || group.getViewportIds().length === 0) return;
  for (const [name, toolName] of Object.entries(TOOL_NAMES)) {
    if (!group.hasTool(toolName) || name === tool) continue;
    if (name === 'pan')
      group.setToolActive(toolName, { bindings: [{ mouseButton: MouseBindings.Auxiliary }] });
    else if (name === 'zoom')
      group.setToolActive(toolName, { bindings: [{ mouseButton: MouseBindings.Secondary }] });
    else if (MEASURING_NAMES.has(toolName)) group.setToolPassive(toolName, { removeAllBindings: true });
    else if (name === 'crosshair') group.setToolEnabled(toolName);
    else group.setToolDisabled(toolName);
  }
  const chosen = group.hasTool(TOOL_NAMES[tool]) ? tool : 'window';
  const bindings: { mouseButton?: cornerstone.Enums.MouseBindings; numTouchPoints?: number }[] = [
    { mouseButton: MouseBindings.Primary },
    { numTouchPoints: 1 },
  ];
  if (chosen === 'pan') bindings.push({ mouseButton: MouseBindings.Auxiliary });
  if (chosen === 'zoom') bindings.push({ mouseButton: MouseBindings.Secondary });
  group.setToolActive(TOOL_NAMES[chosen], { bindings });
}
