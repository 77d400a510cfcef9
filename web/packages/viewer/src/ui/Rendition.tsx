import { type DisplaySet, type MessageKey, renditionPath, sayDate } from '@negatoscope/viewer-core';
import { type ReactNode, useEffect, useState } from 'react';
import { useViewer, useViewerState, useWords } from './context';

interface Fetched {
  /** An address of this page's own, for a PDF. */
  readonly address?: string;
  /** A document without scripts, in a sandbox. */
  readonly text?: string;
  readonly failed?: boolean;
}

/** Takes a document out of the server: no page of it is framed, so that none of ours can be by others. */
function useDocument(path: string | null, isText: boolean): Fetched {
  const [fetched, setFetched] = useState<Fetched>({});
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    let address: string | undefined;
    const take = async () => {
      const response = await fetch(path, { signal: stop.signal });
      if (!response.ok) throw new Error(String(response.status));
      if (isText) return { text: await response.text() };
      address = URL.createObjectURL(await response.blob());
      return { address };
    };
    setFetched({});
    take().then(setFetched, () => {
      if (!stop.signal.aborted) setFetched({ failed: true });
    });
    return () => {
      stop.abort();
      if (address !== undefined) URL.revokeObjectURL(address);
    };
  }, [path, isText]);
  return fetched;
}

/** What the server draws of a document, a film, a curve. */
export function Rendition(props: { readonly pane: number; readonly set: DisplaySet }): ReactNode {
  const { set } = props;
  const { language } = useViewer();
  const study = useViewerState((state) => state.studies[set.studyInstanceUID]);
  return (
    <div className="nv-rendition">
      <header>
        <strong>{study?.patientName}</strong>
        <span>{study?.patientID}</span>
        <span>
          {[study ? sayDate(study.studyDate, language) : '', set.modality, set.description]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </header>
      <Drawn {...props} />
    </div>
  );
}

function Drawn(props: { readonly pane: number; readonly set: DisplaySet }): ReactNode {
  const { pane, set } = props;
  const { say } = useWords();
  const { session } = useViewer();
  const path = renditionPath(set);
  const title = set.description || say(`series.kind.${set.kind}` as MessageKey);
  const activate = () => session.store.dispatch({ type: 'activate', pane });
  if (path === null) return <p className="nv-empty">{say('status.noRendition')}</p>;
  switch (set.kind) {
    case 'video':
      return (
        // biome-ignore lint/a11y/useMediaCaption: films of examinations have no speech
        <video className="nv-video" src={path} controls loop aria-label={title} onPointerDown={activate} />
      );
    case 'waveform':
    case 'presentation':
      return (
        <div className="nv-sheet" onPointerDown={activate}>
          <img src={path} alt={title} />
          {set.kind === 'presentation' ? <p className="nv-remark">{say('status.presentation')}</p> : null}
        </div>
      );
    case 'pdf':
      return <Pdf path={path} title={title} set={set} />;
    default:
      return <Text path={path} title={title} />;
  }
}

const DARK =
  '<style>html{background:#10161c;color:#dbe3ea;font:14px/1.5 system-ui,sans-serif;color-scheme:dark}body{max-width:60em;margin:12px 20px}h1{font-size:20px}</style>';

function Text(props: { readonly path: string; readonly title: string }): ReactNode {
  const { say } = useWords();
  const { text, failed } = useDocument(props.path, true);
  if (failed) return <p className="nv-empty">{say('trouble.undecodable')}</p>;
  if (text === undefined) return <p className="nv-empty">{say('status.loading')}</p>;
  return <iframe className="nv-document" srcDoc={`${DARK}${text}`} title={props.title} sandbox="" />;
}

/** The browser's own reader of PDF; where it has none, the first page as a picture, and the document to be kept. */
function Pdf(props: { readonly path: string; readonly title: string; readonly set: DisplaySet }): ReactNode {
  const { path, title, set } = props;
  const { say } = useWords();
  const { address, failed } = useDocument(path, false);
  if (failed) return <p className="nv-empty">{say('trouble.undecodable')}</p>;
  if (address === undefined) return <p className="nv-empty">{say('status.loading')}</p>;
  if (navigator.pdfViewerEnabled) return <iframe className="nv-document" src={address} title={title} />;
  const picture = path.replace(/accept=.*$/, 'accept=image%2Fpng');
  return (
    <div className="nv-sheet">
      <img src={picture} alt={title} />
      <p className="nv-remark">
        {say('status.firstPage')}{' '}
        <a href={address} download={`${set.id.split('/')[0]}.pdf`}>
          {say('status.download')}
        </a>
      </p>
    </div>
  );
}
