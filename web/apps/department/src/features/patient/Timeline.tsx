import { Tooltip, UnstyledButton } from '@mantine/core';
import type { ListedStudy } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { modalityColor } from '../studies/columns';
import { messages } from './messages';
import classes from './PatientPage.module.css';

const DAY_MS = 86_400_000;
const MOST_LABELS = 9;

/** Every study of a patient on one line, from the oldest to today. */
export function Timeline(props: {
  readonly studies: readonly ListedStudy[];
  readonly onChoose: (study: ListedStudy) => void;
}): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const dated = props.studies
    .map((study) => ({ study, at: study.study_date === null ? Number.NaN : Date.parse(study.study_date) }))
    .filter((one) => !Number.isNaN(one.at));
  if (dated.length < 2) return null;
  const first = Math.min(...dated.map((one) => one.at));
  const last = Math.max(...dated.map((one) => one.at), first + 30 * DAY_MS);
  const place = (at: number): string => `${(100 * (at - first)) / (last - first)}%`;
  return (
    <nav className={classes['timeline'] ?? ''} aria-label={say('timeline')}>
      <div className={classes['track'] ?? ''}>
        <div className={classes['axis'] ?? ''} />
        {marks(first, last).map((mark) => (
          <span key={mark.label} className={classes['year'] ?? ''} style={{ left: place(mark.at) }}>
            {mark.label}
          </span>
        ))}
        {dated.map(({ study, at }) => {
          const label = [
            format.date(study.study_date),
            study.modalities_in_study.join(' '),
            study.study_description,
          ]
            .filter(Boolean)
            .join(' · ');
          return (
            <Tooltip key={study.study_instance_uid} label={label}>
              <UnstyledButton
                className={classes['dot'] ?? ''}
                style={{
                  left: place(at),
                  background: `var(--mantine-color-${modalityColor(study.modalities_in_study[0] ?? '')}-6)`,
                }}
                aria-label={label}
                onClick={() => props.onChoose(study)}
              />
            </Tooltip>
          );
        })}
      </div>
    </nav>
  );
}

/** Beginnings of years inside a span, not too many; the days at its ends when it holds none. */
function marks(first: number, last: number): readonly { readonly at: number; readonly label: string }[] {
  const from = new Date(first).getUTCFullYear() + 1;
  const to = new Date(last).getUTCFullYear();
  const step = Math.max(1, Math.ceil((to - from + 1) / MOST_LABELS));
  const found: { at: number; label: string }[] = [];
  for (let year = from; year <= to; year += step)
    found.push({ at: Date.UTC(year, 0, 1), label: String(year) });
  if (found.length > 0) return found;
  return [{ at: first, label: String(from - 1) }];
}
