import { useRouter } from '@tanstack/react-router';
import { useMemo } from 'react';

/** Studies of one archive, and of one visit of the viewer. */
export const MOST_DOWNLOADED = 50;
export const MOST_COMPARED = 8;

/** The viewer's address for some studies: the first, the others beside it. */
export function viewerAddress(studies: readonly string[]): string {
  return `/viewer?${studies.map((uid) => `studyUID=${encodeURIComponent(uid)}`).join('&')}`;
}

export function ohifAddress(studies: readonly string[]): string {
  return `/ohif/viewer?StudyInstanceUIDs=${studies.map(encodeURIComponent).join(',')}`;
}

/** Where a study lies as a ZIP of DICOM files. */
export function zipAddress(study: string, series?: string): string {
  const of = series === undefined ? '' : `/series/${series}`;
  return `/dicom-web/studies/${study}${of}?accept=${encodeURIComponent('application/zip')}`;
}

/** Several studies as one ZIP. */
export function archiveAddress(studies: readonly string[]): string {
  return `/dicom-web/archive?${studies.map((uid) => `study=${encodeURIComponent(uid)}`).join('&')}`;
}

function follow(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}

export interface Opening {
  readonly images: (studies: readonly string[]) => void;
  readonly patient: (key: number) => void;
  readonly download: (studies: readonly string[]) => void;
}

/** What can be done with studies, from every list of them. */
export function useOpening(): Opening {
  const router = useRouter();
  return useMemo<Opening>(
    () => ({
      images: (studies) => void router.navigate({ href: viewerAddress(studies) }),
      patient: (key) => void router.navigate({ href: `/patients/${key}` }),
      download: (studies) => follow(archiveAddress(studies)),
    }),
    [router],
  );
}
