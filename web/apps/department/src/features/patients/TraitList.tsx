import type { PatientFile } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { Fragment, type ReactNode } from 'react';
import { fileMessages } from './file.messages';
import { partialDate } from './names';
import classes from './PatientFilePage.module.css';

/** Traits, with the day since when each is as it is. */
export function TraitList(props: { readonly file: PatientFile }): ReactNode {
  const { file } = props;
  const say = useMessages(fileMessages);
  const format = useFormat();
  const used = [file.used_name.family, file.used_name.given].filter(Boolean).join(' ');
  const rows: readonly (readonly [string, string, string])[] = [
    [say('birthName'), file.birth_name.family ?? '', 'birth_name'],
    [say('firstBirthName'), file.birth_name.given ?? '', 'birth_name'],
    [say('allNames'), file.birth_name.further ?? '', 'birth_name'],
    [say('usedName'), used, 'used_name'],
    [say('birthDate'), partialDate(file.birth_date, format), 'birth_date'],
    [say('lunarDate'), file.lunar_birth_date, 'lunar_birth_date'],
    [say('sex'), file.sex, 'sex'],
    [
      say('birthPlace'),
      [file.birth_place_name, file.birth_place_code].filter(Boolean).join(' · '),
      file.birth_place_code === '' ? 'birth_place_name' : 'birth_place_code',
    ],
    [say('telephone'), file.telephone, 'telephone'],
    [say('address'), file.address, 'address'],
    [say('died'), file.is_deceased ? partialDate(file.died_at.slice(0, 8), format) || '✓' : '', 'died_at'],
  ];
  const always = 7; // the strict traits stand there even when they are not known
  return (
    <dl className={classes['traits'] ?? ''}>
      {rows
        .filter(([, value], at) => value !== '' || (at < always && at !== 3 && at !== 5))
        .map(([title, value, trait]) => (
          <Fragment key={title}>
            <dt>{title}</dt>
            <dd>
              {value === '' ? <span className={classes['since'] ?? ''}>{say('notKnown')}</span> : value}
            </dd>
            <dd className={classes['since'] ?? ''}>
              {value === '' || file.traits_since[trait] === undefined
                ? ''
                : say('since', { date: format.date(file.traits_since[trait]) })}
            </dd>
          </Fragment>
        ))}
    </dl>
  );
}
