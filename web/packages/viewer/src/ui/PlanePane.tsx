import { type MessageKey, sayDate, toWindow } from '@negatoscope/viewer-core';
import { type ReactNode, useEffect, useRef } from 'react';
import { PROJECTION_PANE, projectionSlabMm } from '../engine/planes';
import { useViewer, useViewerState, useWords } from './context';
import { Corner, Edges, ScaleBar, useShown } from './Pane';

const NAMES = ['plane.axial', 'plane.coronal', 'plane.sagittal', 'plane.coronal'] as const;

/** One of the planes of a volume. */
export function PlanePane(props: { readonly plane: number }): ReactNode {
  const { plane } = props;
  const { session, language } = useViewer();
  const { say } = useWords();
  const element = useRef<HTMLDivElement>(null);
  const shown = useShown(`plane-${plane}`);
  const progress = useShown('volume').zoom ?? 0;
  const isActive = useViewerState((state) => state.activePane === plane);
  const overlays = useViewerState((state) => state.overlays);
  const volume = useViewerState((state) => state.volume);
  const set = useViewerState((state) =>
    state.volume ? state.displaySets[state.volume.displaySetId] : undefined,
  );
  const study = useViewerState((state) => (set ? state.studies[set.studyInstanceUID] : undefined));
  useEffect(() => {
    if (element.current === null) return;
    return session.planes.attach(plane, element.current);
  }, [session, plane]);
  const number = (value: number) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(value);
  const isProjection = plane === PROJECTION_PANE;
  const projection =
    isProjection && volume?.projection === 'none' ? 'maximum' : (volume?.projection ?? 'none');
  const slab = isProjection
    ? Math.max(volume?.slabMm ?? 0, projectionSlabMm(session.graphics.isSoftware))
    : (volume?.slabMm ?? 0);
  const told = [
    say(NAMES[plane] ?? 'plane.axial'),
    projection === 'none'
      ? ''
      : `${say(`projection.${projection}` as MessageKey)}${slab > 1000 ? '' : ` ${number(slab)}\u00a0mm`}`,
  ];
  const window = shown.voi === null ? null : toWindow(shown.voi);
  return (
    <section
      className="nv-pane"
      data-pane={plane}
      data-plane={plane}
      data-active={isActive}
      aria-label={told.join(' ')}
    >
      <div className="nv-viewport" ref={element} />
      {overlays.text ? (
        <>
          <Corner
            place="top-left"
            lines={[study?.patientName ?? '', study?.patientID ?? ''].filter(Boolean)}
          />
          <Corner
            place="top-right"
            lines={[study ? sayDate(study.studyDate, language) : '', study?.description ?? ''].filter(
              Boolean,
            )}
          />
          <Corner place="bottom-left" lines={[told.filter(Boolean).join(' · ')]} />
          <Corner
            place="bottom-right"
            lines={[
              progress < 1 ? say('status.volume', { percent: Math.round(progress * 100) }) : '',
              window === null
                ? ''
                : say('overlay.window', { center: number(window.center), width: number(window.width) }),
            ].filter(Boolean)}
          />
        </>
      ) : null}
      {overlays.orientation ? <Edges shown={shown} /> : null}
      {overlays.scale ? <ScaleBar mmPerPixel={shown.mmPerPixel} /> : null}
    </section>
  );
}
