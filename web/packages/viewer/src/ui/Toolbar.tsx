import {
  ACTIONS,
  action,
  activePane,
  keysOf,
  type MessageKey,
  sayShortcut,
  type ViewerAction,
} from '@negatoscope/viewer-core';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useRun, useViewer, useViewerState, useWords } from './context';
import { hasIcon, Icon } from './Icon';

/** A button of an action: its drawing, its words and keys in a tip, and why it cannot be done. */
function ActionButton(props: {
  readonly id: string;
  readonly icon?: string;
  readonly isWide?: boolean;
}): ReactNode {
  const { id, icon = props.id } = props;
  const one = action(id);
  const { language, bindings, level } = useViewer();
  const { say } = useWords();
  const run = useRun();
  const why = useViewerState(one.unavailable);
  const isOn = useViewerState((state) => one.isOn?.(state) ?? false);
  if (level === 'basic' && one.level === 'full') return null;
  const key = keysOf(one, bindings)[0];
  const tip = [say(one.label), key ? `[${sayShortcut(key, language)}]` : '', why ? `— ${say(why)}` : ''];
  return (
    <button
      type="button"
      className="nv-button"
      aria-label={say(one.label)}
      aria-pressed={one.isOn === undefined ? undefined : isOn}
      aria-disabled={why !== null}
      aria-keyshortcuts={key}
      data-action={id}
      data-tip={tip.filter(Boolean).join(' ')}
      onClick={() => run(one)}
    >
      {hasIcon(icon) ? <Icon name={icon} /> : say(one.label)}
    </button>
  );
}

/** A button that opens a list of actions. */
function ActionMenu(props: {
  readonly label: string;
  readonly icon: string;
  readonly actions: readonly ViewerAction[];
  readonly text?: string;
}): ReactNode {
  const { label, icon, actions, text } = props;
  const { level } = useViewer();
  const [isOpen, setIsOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  const shown = actions.filter((one) => level === 'full' || one.level === 'basic');
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: PointerEvent) => {
      if (!(event.target instanceof Node) || !root.current?.contains(event.target)) setIsOpen(false);
    };
    document.addEventListener('pointerdown', close);
    root.current?.querySelector<HTMLElement>('[role^=menuitem]')?.focus();
    return () => document.removeEventListener('pointerdown', close);
  }, [isOpen]);
  const move = (event: KeyboardEvent) => {
    const items = [...(root.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'Escape') {
      setIsOpen(false);
      root.current?.querySelector('button')?.focus();
    } else if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (shown.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the menu inside
    <div className="nv-menu" ref={root} onKeyDown={isOpen ? move : undefined}>
      <button
        type="button"
        className="nv-button nv-button-menu"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        data-tip={isOpen ? undefined : label}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name={icon} />
        {text ? <span className="nv-button-text">{text}</span> : null}
        <Icon name="chevron" size={12} />
      </button>
      {isOpen ? (
        <div className="nv-list" role="menu" id={id} aria-label={label}>
          {shown.map((one) => (
            <MenuItem key={one.id} one={one} onDone={() => setIsOpen(false)} />
          ))}
        </div>
      ) : null}
    </div>
  );
}

function MenuItem(props: { readonly one: ViewerAction; readonly onDone: () => void }): ReactNode {
  const { one, onDone } = props;
  const { language, bindings } = useViewer();
  const { say } = useWords();
  const run = useRun();
  const why = useViewerState(one.unavailable);
  const isOn = useViewerState((state) => one.isOn?.(state) ?? false);
  const key = keysOf(one, bindings)[0];
  if (why === 'why.notCT') return null; // windows of another modality
  return (
    <button
      type="button"
      role={one.isOn === undefined ? 'menuitem' : 'menuitemcheckbox'}
      {...(one.isOn === undefined ? {} : { 'aria-checked': isOn })}
      aria-disabled={why !== null}
      title={why === null ? undefined : say(why)}
      className="nv-item"
      data-action={one.id}
      onClick={() => {
        run(one);
        if (one.group !== 'overlay') onDone();
      }}
    >
      <span className="nv-item-icon">
        {hasIcon(one.id) ? <Icon name={one.id} size={18} /> : isOn ? '✓' : null}
      </span>
      <span>{say(one.label)}</span>
      <kbd>{key ? sayShortcut(key, language) : ''}</kbd>
    </button>
  );
}

const of = (...ids: readonly string[]) => ids.map(action);
const GROUPED = {
  window: ACTIONS.filter(({ group }) => group === 'window'),
  overlay: ACTIONS.filter(({ group }) => group === 'overlay'),
  layout: of('layout.1x1', 'layout.1x2', 'layout.2x1', 'layout.2x2'),
  view: of(
    'view.rotateRight',
    'view.rotateLeft',
    'view.flipHorizontal',
    'view.flipVertical',
    'view.fit',
    'view.actualSize',
    'view.reset',
  ),
  measure: of('tool.ellipse', 'tool.rectangle', 'tool.freehand', 'tool.probe', 'tool.arrow'),
};

function Cine(): ReactNode {
  const { say } = useWords();
  const run = useRun();
  const cine = useViewerState((state) => activePane(state).cine);
  const why = useViewerState(action('cine.play').unavailable);
  if (why !== null) return null;
  return (
    <div className="nv-group">
      <ActionButton id="cine.play" icon={cine.isPlaying ? 'cine.stop' : 'cine.play'} />
      {cine.isPlaying ? (
        <>
          <ActionButton id="cine.slower" />
          <output className="nv-rate">{say('cine.rate', { count: cine.framesPerSecond })}</output>
          <ActionButton id="cine.faster" />
          <button type="button" className="nv-button nv-button-text" onClick={() => run(action('cine.loop'))}>
            {say(`cine.mode.${cine.loop}` as MessageKey)}
          </button>
        </>
      ) : null}
    </div>
  );
}

function Slab(): ReactNode {
  const { session, language } = useViewer();
  const { say } = useWords();
  const volume = useViewerState((state) => state.volume);
  if (volume === null) return null;
  const { dispatch } = session.store;
  return (
    <div className="nv-group">
      <ActionButton id="tool.crosshair" />
      <select
        className="nv-select"
        aria-label={say('volume.slab')}
        value={volume.projection}
        onChange={(event) => {
          const projection = event.target.value as typeof volume.projection;
          dispatch({
            type: 'slab',
            projection,
            slabMm: projection === 'none' ? 0 : Math.max(5, volume.slabMm),
          });
        }}
      >
        {(['none', 'maximum', 'minimum', 'average'] as const).map((one) => (
          <option key={one} value={one}>
            {say(`projection.${one}`)}
          </option>
        ))}
      </select>
      {volume.projection === 'none' ? null : (
        <label className="nv-slab">
          <input
            type="range"
            min={0}
            max={100}
            step={1}
            value={volume.slabMm}
            aria-label={say('volume.slab')}
            onChange={(event) => dispatch({ type: 'slab', slabMm: Number(event.target.value) })}
          />
          <output>{new Intl.NumberFormat(language).format(volume.slabMm)}&nbsp;mm</output>
        </label>
      )}
    </div>
  );
}

export function Toolbar(props: { readonly onBack?: (() => void) | undefined }): ReactNode {
  const { say } = useWords();
  const { session } = useViewer();
  const layout = useViewerState((state) => state.layout);
  return (
    <div className="nv-toolbar" role="toolbar" aria-label={say('toolbar.label')}>
      <div className="nv-group">
        {props.onBack ? (
          <button
            type="button"
            className="nv-button"
            aria-label={say('toolbar.back')}
            data-tip={say('toolbar.back')}
            onClick={props.onBack}
          >
            <Icon name="back" />
          </button>
        ) : null}
        <ActionButton id="layout.sidebar" />
        <ActionMenu label={say('group.layout')} icon={`layout.${layout}`} actions={GROUPED.layout} />
        <ActionButton id="navigate.link" />
      </div>
      <div className="nv-group">
        <ActionButton id="tool.window" />
        <ActionMenu label={say('group.window')} icon="presets" actions={GROUPED.window} />
        <ActionButton id="view.invert" />
      </div>
      <div className="nv-group">
        <ActionButton id="tool.scroll" />
        <ActionButton id="tool.zoom" />
        <ActionButton id="tool.pan" />
        <ActionMenu label={say('group.view')} icon="view" actions={GROUPED.view} />
      </div>
      <div className="nv-group">
        <ActionButton id="tool.length" />
        <ActionButton id="tool.angle" />
        {GROUPED.measure.map(({ id }) => (
          <ActionButton key={id} id={id} />
        ))}
      </div>
      <Cine />
      <div className="nv-group">
        <ActionButton id="volume.mpr" />
        <ActionButton id="volume.mip" />
      </div>
      <Slab />
      <div className="nv-group nv-group-end">
        <ActionButton id="edit.undo" />
        <ActionButton id="edit.redo" />
        <ActionButton id="edit.remove" />
        <ActionMenu label={say('group.overlay')} icon="overlays" actions={GROUPED.overlay} />
        <ActionButton id="edit.screenshot" />
        <ActionButton id="layout.fullscreen" />
        <ActionButton id="help.keys" />
      </div>
      {session.graphics.hasWebGL ? null : <p className="nv-remark">{say('status.noWebGL')}</p>}
    </div>
  );
}
