/** What the viewer asks the server: series, metadata, other studies of the patient. */

import {
  type DisplaySet,
  displaySetsOf,
  type Item,
  ROOT,
  readInstance,
  readStudy,
  type StudyInfo,
  seriesPath,
  studyPath,
} from '@negatoscope/viewer-core';

/** A request that was refused or failed. ``code`` is the problem document's, where there is one. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`${status} ${code}`);
  }
}

async function json<T>(path: string, signal: AbortSignal): Promise<readonly T[]> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: 'application/dicom+json' }, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Refused(0, 'network');
  }
  if (response.status === 204) return [];
  if (!response.ok) {
    const problem: unknown = await response.json().catch(() => null);
    const code =
      typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : '';
    throw new Refused(response.status, code);
  }
  return (await response.json()) as readonly T[];
}

const tagText = (item: Item, tag: string): string => {
  const value = item[tag]?.Value?.[0];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};

const DOCUMENTS = new Set(['SR', 'KO', 'PR', 'DOC', 'ECG', 'SEG', 'REG', 'RTSTRUCT', 'RTPLAN']);

/** A study, piece by piece: the first series with images as soon as it is there. */
export async function loadStudy(
  uid: string,
  signal: AbortSignal,
  take: {
    readonly opened: (study: StudyInfo) => void;
    readonly series: (study: string, sets: readonly DisplaySet[]) => void;
    /** What the others wait for, after the first series. */
    readonly shown: () => Promise<void>;
  },
): Promise<void> {
  const found = await json<Item>(`${studyPath(uid)}/series?includefield=00201209`, signal);
  const isLate = (item: Item) => Number(DOCUMENTS.has(tagText(item, '00080060')));
  const series = [...found].sort(
    (a, b) => isLate(a) - isLate(b) || Number(tagText(a, '00200011')) - Number(tagText(b, '00200011')),
  );
  if (series.length === 0) throw new Refused(404, 'study-not-found');
  let isOpened = false;
  const load = async (item: Item) => {
    const instances = await json<Item>(`${seriesPath(uid, tagText(item, '0020000E'))}/metadata`, signal);
    const [first] = instances;
    if (first === undefined) return;
    if (!isOpened) {
      isOpened = true;
      take.opened({ ...readStudy(first), studyInstanceUID: uid });
    }
    take.series(uid, displaySetsOf(instances.map(readInstance)));
  };
  const [head, ...rest] = series;
  if (head !== undefined) await load(head);
  await take.shown();
  const queue = [...rest];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await load(item);
  };
  await Promise.all([work(), work(), work()]);
}

/** Other studies of a patient, the newest first. */
export async function loadPriors(study: StudyInfo, signal: AbortSignal): Promise<readonly StudyInfo[]> {
  if (!study.patientID) return [];
  const query = new URLSearchParams({
    PatientID: study.patientID,
    includefield: '00081030,00080061,00100010,00100021',
    limit: '100',
  });
  if (study.issuerOfPatientID) query.set('IssuerOfPatientID', study.issuerOfPatientID);
  const found = await json<Item>(`${ROOT}/studies?${query}`, signal);
  return found
    .map(readStudy)
    .filter(({ studyInstanceUID }) => studyInstanceUID !== study.studyInstanceUID)
    .sort((a, b) => `${b.studyDate}${b.studyTime}`.localeCompare(`${a.studyDate}${a.studyTime}`));
}
