import { IconPhotoOff } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import classes from './Thumbnail.module.css';

/** A small picture of an instance; its modality where there is no picture. */
export function Thumbnail(props: {
  readonly study: string;
  readonly series: string;
  readonly instance: string | null;
  readonly modality: string | null;
  readonly size: number;
  /** Said to screen readers; empty where the text beside says it. */
  readonly label?: string;
}): ReactNode {
  const [isMissing, setMissing] = useState(props.instance === null);
  const style = { width: props.size, height: props.size };
  if (isMissing || props.instance === null)
    return (
      <span className={classes['missing'] ?? ''} style={style} aria-hidden>
        <IconPhotoOff size={16} stroke={1.3} />
        {props.modality}
      </span>
    );
  const address = `/dicom-web/studies/${props.study}/series/${props.series}/instances/${props.instance}/thumbnail`;
  return (
    <img
      className={classes['picture'] ?? ''}
      style={style}
      src={`${address}?viewport=${props.size * 2},${props.size * 2}`}
      alt={props.label ?? ''}
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setMissing(true)}
    />
  );
}
