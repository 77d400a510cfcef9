import type { NewPatient, PatientFile } from '@negatoscope/api-client';

/** Traits as the server takes them. */
export type PatientTraits = Omit<NewPatient, 'even_if_similar'>;

/** Traits as they are typed. */
export interface TypedTraits {
  readonly birthFamily: string;
  readonly birthGiven: string;
  readonly birthFurther: string;
  readonly usedFamily: string;
  readonly usedGiven: string;
  readonly birthDate: string;
  readonly lunar: string;
  readonly sex: Exclude<PatientTraits['sex'], null | undefined>;
  readonly birthPlaceCode: string;
  readonly birthPlaceName: string;
  readonly telephone: string;
  readonly address: string;
}

export const NO_TRAITS: TypedTraits = {
  birthFamily: '',
  birthGiven: '',
  birthFurther: '',
  usedFamily: '',
  usedGiven: '',
  birthDate: '',
  lunar: '',
  sex: '',
  birthPlaceCode: '',
  birthPlaceName: '',
  telephone: '',
  address: '',
};

const DAY = /^(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})$/;
const MONTH = /^(\d{1,2})[/. -](\d{4})$/;
const ISO = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/;

/** `YYYY[MM[DD]]` of a date as people type it; null where it cannot be one. */
export function readDate(typed: string): string | null {
  const text = typed.trim();
  if (text === '') return '';
  const iso = ISO.exec(text);
  const day = DAY.exec(text);
  const month = MONTH.exec(text);
  const parts = iso
    ? [iso[1], iso[2], iso[3]]
    : day
      ? [day[3], day[2], day[1]]
      : month
        ? [month[2], month[1]]
        : null;
  const plain = /^\d{8}$|^\d{4}$/.test(text)
    ? text
    : (parts?.map((one) => one?.padStart(2, '0') ?? '').join('') ?? null);
  return plain !== null && isDate(plain) ? plain : null;
}

function isDate(plain: string): boolean {
  const year = Number(plain.slice(0, 4));
  const month = Number(plain.slice(4, 6) || '1');
  const day = Number(plain.slice(6, 8) || '1');
  const date = new Date(Date.UTC(year, month - 1, day));
  return (
    year >= 1850 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getTime() <= Date.now()
  );
}

/** How a date of a file is typed again: `03/05/1961`, `05/1961`, `1961`. */
export function writeDate(value: string): string {
  const [year, month, day] = [value.slice(0, 4), value.slice(4, 6), value.slice(6, 8)];
  return [day, month, year].filter((one) => one !== '' && one !== '00').join('/');
}

/** What the search box held is the beginning of a name or a birth date. */
export function fromSearch(text: string): TypedTraits {
  const words = text.trim().split(/\s+/).filter(Boolean);
  const date = words.find((one) => /\d/.test(one) && readDate(one));
  const [family = '', given = ''] = words.filter((one) => !/\d/.test(one));
  return {
    ...NO_TRAITS,
    birthFamily: family.toLocaleUpperCase(),
    birthGiven: given === '' ? '' : given.charAt(0).toLocaleUpperCase() + given.slice(1),
    birthDate: date ?? '',
  };
}

export function fromFile(file: PatientFile): TypedTraits {
  return {
    birthFamily: file.birth_name.family ?? '',
    birthGiven: file.birth_name.given ?? '',
    birthFurther: file.birth_name.further ?? '',
    usedFamily: file.used_name.family ?? '',
    usedGiven: file.used_name.given ?? '',
    birthDate: writeDate(file.birth_date),
    lunar: file.lunar_birth_date,
    sex: file.sex as TypedTraits['sex'],
    birthPlaceCode: file.birth_place_code,
    birthPlaceName: file.birth_place_name,
    telephone: file.telephone,
    address: file.address,
  };
}

/** As the server takes them; the date must be readable. */
export function toBody(typed: TypedTraits): PatientTraits {
  return {
    birth_name: { family: typed.birthFamily, given: typed.birthGiven, further: typed.birthFurther },
    used_name: { family: typed.usedFamily, given: typed.usedGiven, further: '' },
    birth_date: readDate(typed.birthDate) ?? '',
    lunar_birth_date: typed.lunar,
    sex: typed.sex,
    birth_place_code: typed.birthPlaceCode.trim().toUpperCase(),
    birth_place_name: typed.birthPlaceName,
    telephone: typed.telephone,
    address: typed.address,
  };
}

export type TraitError = 'needName' | 'badDate' | 'badPlace';

/** What keeps them from being sent, by field. */
export function errorsOf(typed: TypedTraits): {
  readonly birthFamily?: TraitError;
  readonly birthDate?: TraitError;
  readonly birthPlaceCode?: TraitError;
} {
  const isNamed = [typed.birthFamily, typed.birthGiven, typed.usedFamily, typed.usedGiven].some(
    (one) => one.trim() !== '',
  );
  return {
    ...(isNamed ? {} : { birthFamily: 'needName' as const }),
    ...(readDate(typed.birthDate) === null ? { birthDate: 'badDate' as const } : {}),
    ...(/^([0-9][0-9AB][0-9]{3})?$/i.test(typed.birthPlaceCode.trim())
      ? {}
      : { birthPlaceCode: 'badPlace' as const }),
  };
}
