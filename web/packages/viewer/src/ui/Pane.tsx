import {
  corners,
  type DisplaySet,
  displaySetIn,
  frameKey,
  paneAt,
  renderedPath,
  sayMeasure,
} from '@negatoscope/viewer-core';
import { type DragEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Shown } from '../engine/shown';
import { useViewer, useViewerState, useWords } from './context';
import { Icon } from './Icon';
import { Rendition } from './Rendition';

export const SERIES_TYPE = 'application/x-negatoscope-series';

export function useShown(key: string): Shown {
  const { session } = useViewer();
  return useSyncExternalStore(
    (watcher) => session.watch(key, watcher),
    () => session.shown(key),
  );
}

/** A pane of the layout: a stack, or what the server draws of a document. */
export function Pane(props: { readonly pane: number }): ReactNode {
  const { pane } = props;
  const { session } = useViewer();
  const { say } = useWords();
  const isActive = useViewerState((state) => state.activePane === pane);
  const set = useViewerState((state) => displaySetIn(state, pane));
  const [isTarget, setIsTarget] = useState(false);
  const takes = (event: DragEvent) => event.dataTransfer.types.includes(SERIES_TYPE);
  const isStack = set === null || set.kind === 'images';
  return (
    <section
      className="nv-pane"
      data-pane={pane}
      data-active={isActive}
      data-target={isTarget}
      aria-label={say('pane.label', {
        number: pane + 1,
        what: set?.description || set?.modality || say('pane.empty'),
      })}
      onDragOver={(event) => {
        if (!takes(event)) return;
        event.preventDefault();
        setIsTarget(true);
      }}
      onDragLeave={() => setIsTarget(false)}
      onDrop={(event) => {
        setIsTarget(false);
        const displaySetId = event.dataTransfer.getData(SERIES_TYPE);
        if (!displaySetId) return;
        event.preventDefault();
        session.store.dispatch({ type: 'place', pane, displaySetId });
        session.store.dispatch({ type: 'activate', pane });
      }}
      onFocus={() => session.store.dispatch({ type: 'activate', pane })}
    >
      {isStack ? <StackElement pane={pane} /> : <Rendition pane={pane} set={set} />}
      {set === null ? <p className="nv-empty">{say('status.empty')}</p> : null}
      {set !== null && isStack ? (
        <>
          <Trouble pane={pane} set={set} />
          <Overlays pane={pane} set={set} />
          <Slider pane={pane} set={set} />
        </>
      ) : null}
    </section>
  );
}

function StackElement(props: { readonly pane: number }): ReactNode {
  const { pane } = props;
  const { session } = useViewer();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (element.current === null) return;
    return session.attach(pane, element.current);
  }, [session, pane]);
  return <div className="nv-viewport" ref={element} />;
}

/** Where one is in the stack; also a way through it with a finger. */
function Slider(props: { readonly pane: number; readonly set: DisplaySet }): ReactNode {
  const { pane, set } = props;
  const { session } = useViewer();
  const { say } = useWords();
  const index = useViewerState((state) => paneAt(state, pane).index);
  const count = set.frames.length;
  if (count < 2) return null;
  return (
    <input
      type="range"
      className="nv-slider"
      min={0}
      max={count - 1}
      value={index}
      tabIndex={-1}
      aria-label={say('overlay.image', { index: index + 1, count })}
      onChange={(event) => session.store.dispatch({ type: 'goTo', pane, index: Number(event.target.value) })}
    />
  );
}

function Trouble(props: { readonly pane: number; readonly set: DisplaySet }): ReactNode {
  const { pane, set } = props;
  const { session } = useViewer();
  const { say } = useWords();
  const frame = useViewerState((state) => set.frames[paneAt(state, pane).index]);
  const trouble = useViewerState((state) => (frame ? state.troubles[frameKey(frame)] : undefined));
  if (frame === undefined || trouble === undefined) return null;
  if (trouble.isRendered) {
    return (
      <div className="nv-trouble">
        <img src={renderedPath(frame)} alt="" className="nv-rendered" />
        <p className="nv-remark" role="status">
          {say('trouble.rendered')}
        </p>
      </div>
    );
  }
  return (
    <div className="nv-trouble" role="alert">
      <Icon name="warning" size={28} />
      <p>{say(`trouble.${trouble.reason}`)}</p>
      <button type="button" className="nv-plain" onClick={() => session.retry(pane)}>
        {say('trouble.retry')}
      </button>
    </div>
  );
}

function Overlays(props: { readonly pane: number; readonly set: DisplaySet }): ReactNode {
  const { pane, set } = props;
  const { language } = useViewer();
  const { words } = useWords();
  const shown = useShown(`pane-${pane}`);
  const state = useViewerState((now) => paneAt(now, pane));
  const study = useViewerState((now) => now.studies[set.studyInstanceUID]);
  const overlays = useViewerState((now) => now.overlays);
  const frame = set.frames[state.index];
  const texts = corners(study, set, frame, state, shown, words, language);
  return (
    <>
      {overlays.referenceLines ? <Lines shown={shown} /> : null}
      {overlays.text ? (
        <>
          <Corner place="top-left" lines={texts.topLeft} />
          <Corner place="top-right" lines={texts.topRight} />
          <Corner place="bottom-left" lines={texts.bottomLeft} />
          <Corner place="bottom-right" lines={texts.bottomRight} />
        </>
      ) : null}
      {overlays.orientation ? <Edges shown={shown} /> : null}
      {overlays.scale ? <ScaleBar mmPerPixel={shown.mmPerPixel} /> : null}
    </>
  );
}

export function Corner(props: { readonly place: string; readonly lines: readonly string[] }): ReactNode {
  return (
    <div className={`nv-corner nv-${props.place}`}>
      {props.lines.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
        <div key={i} data-picture="">
          {line}
        </div>
      ))}
    </div>
  );
}

export function Edges(props: { readonly shown: Shown }): ReactNode {
  return (['top', 'right', 'bottom', 'left'] as const).map((edge) =>
    props.shown.edges[edge] ? (
      <span key={edge} className={`nv-edge nv-edge-${edge}`} data-picture="">
        {props.shown.edges[edge]}
      </span>
    ) : null,
  );
}

function Lines(props: { readonly shown: Shown }): ReactNode {
  if (props.shown.lines.length === 0) return null;
  return (
    <svg className="nv-lines" aria-hidden="true">
      {props.shown.lines.map(({ from, to, isActive }) => (
        <line
          key={`${from}-${to}`}
          x1={from[0]}
          y1={from[1]}
          x2={to[0]}
          y2={to[1]}
          stroke={isActive ? '#ffd640' : '#6fb7ff'}
          strokeWidth={isActive ? 1.5 : 1}
          strokeDasharray="6 4"
        />
      ))}
    </svg>
  );
}

const ROUND = [1, 2, 5, 10, 20, 50, 100, 200];

export function ScaleBar(props: { readonly mmPerPixel: number | null }): ReactNode {
  const { language } = useViewer();
  const { mmPerPixel } = props;
  if (mmPerPixel === null || !(mmPerPixel > 0)) return null;
  const mm = ROUND.findLast((length) => length / mmPerPixel <= 130) ?? 1;
  return (
    <div className="nv-scale" style={{ width: `${mm / mmPerPixel}px` }}>
      <span data-picture="">
        {mm >= 10
          ? sayMeasure({ value: mm / 10, unit: 'cm' }, language).replace(/[.,]00/, '')
          : sayMeasure({ value: mm, unit: 'mm' }, language).replace(/[.,]0(?=\D)/, '')}
      </span>
    </div>
  );
}
