import {
  type DisplaySet,
  type MessageKey,
  type StudyInfo,
  sayDate,
  setsInOrder,
  thumbnailPath,
} from '@negatoscope/viewer-core';
import { type ReactNode, useMemo } from 'react';
import { useFirstShown, useViewer, useViewerState, useWords } from './context';
import { Icon } from './Icon';
import { SERIES_TYPE } from './Pane';

const KIND_ICONS: Readonly<Record<string, string>> = {
  pdf: 'document',
  text: 'document',
  other: 'document',
  video: 'video',
  waveform: 'waveform',
  presentation: 'overlays',
};

/** Series of the opened studies, and the other studies of the patient. */
export function SeriesPanel(props: {
  readonly priors: readonly StudyInfo[] | null;
  readonly onCompare: (study: StudyInfo) => void;
  readonly onClose: (study: string) => void;
}): ReactNode {
  const { priors, onCompare, onClose } = props;
  const { language } = useViewer();
  const { say } = useWords();
  const studies = useViewerState((state) => state.studies);
  const order = useViewerState((state) => state.studyOrder);
  const displaySets = useViewerState((state) => state.displaySets);
  const displaySetOrder = useViewerState((state) => state.displaySetOrder);
  const sets = useMemo(
    () => setsInOrder({ studyOrder: order, displaySetOrder, displaySets }),
    [order, displaySetOrder, displaySets],
  );
  const others = (priors ?? []).filter(({ studyInstanceUID }) => !order.includes(studyInstanceUID));
  return (
    <aside className="nv-panel" aria-label={say('action.layout.sidebar')}>
      {order.map((uid, i) => {
        const study = studies[uid];
        if (study === undefined) return null;
        return (
          <section key={uid}>
            <h2 className="nv-study">
              <span>
                <strong>{sayDate(study.studyDate, language)}</strong>{' '}
                {study.description || study.modalities.join(', ')}
              </span>
              {i > 0 ? (
                <button
                  type="button"
                  className="nv-button nv-small"
                  aria-label={say('series.close')}
                  onClick={() => onClose(uid)}
                >
                  <Icon name="close" size={14} />
                </button>
              ) : null}
            </h2>
            <ul className="nv-series">
              {sets
                .filter((set) => set.studyInstanceUID === uid)
                .map((set) => (
                  <Thumbnail key={set.id} set={set} />
                ))}
            </ul>
          </section>
        );
      })}
      {priors === null ? null : (
        <section>
          <h2 className="nv-study">{say('series.priors')}</h2>
          {others.length === 0 ? <p className="nv-quiet">{say('series.noPriors')}</p> : null}
          <ul className="nv-priors">
            {others.map((study) => (
              <li key={study.studyInstanceUID}>
                <button
                  type="button"
                  className="nv-prior"
                  onClick={() => onCompare(study)}
                  title={say('series.compare')}
                >
                  <strong>{sayDate(study.studyDate, language)}</strong>
                  <span>{[study.modalities.join(', '), study.description].filter(Boolean).join(' · ')}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </aside>
  );
}

function Thumbnail(props: { readonly set: DisplaySet }): ReactNode {
  const { set } = props;
  const { session } = useViewer();
  const { say } = useWords();
  const panes = useViewerState((state) => state.panes);
  const active = useViewerState((state) => state.activePane);
  const isShown = panes.some(({ displaySetId }) => displaySetId === set.id);
  // The picture in the pane comes first.
  const isWaiting = !useFirstShown();
  const path = thumbnailPath(set);
  const count = set.frames.length;
  const told =
    set.kind === 'images'
      ? count === 1
        ? say('series.oneImage')
        : say('series.images', { count })
      : say(`series.kind.${set.kind}` as MessageKey);
  return (
    <li>
      <button
        type="button"
        className="nv-thumbnail"
        data-set={set.id}
        aria-current={panes[active]?.displaySetId === set.id}
        data-shown={isShown}
        draggable
        onDragStart={(event) => {
          event.dataTransfer.setData(SERIES_TYPE, set.id);
          event.dataTransfer.effectAllowed = 'copy';
        }}
        onClick={() => session.store.dispatch({ type: 'place', pane: active, displaySetId: set.id })}
        title={set.description}
      >
        <span className="nv-thumbnail-picture">
          {isWaiting ? null : path === null ? (
            <Icon name={KIND_ICONS[set.kind] ?? 'document'} size={28} />
          ) : (
            <img src={path} alt="" loading="lazy" draggable={false} />
          )}
        </span>
        <span className="nv-thumbnail-text">
          <strong>{set.description || set.modality}</strong>
          <span>{[set.modality, told].join(' · ')}</span>
        </span>
      </button>
    </li>
  );
}
