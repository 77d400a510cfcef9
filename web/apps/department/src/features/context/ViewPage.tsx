import { Button } from '@mantine/core';
import { type CalledStudy, type Meaning, request } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { BreakGlassDialog } from '../break-glass/BreakGlassDialog';
import { messages } from './messages';

/** `/view?requestType=…`: Invoke Image Display (IHE RAD-106), after the sign-in. */
export function ViewPage(): ReactNode {
  const say = useMessages(messages);
  const query = useRouterState({ select: ({ location }) => location.searchStr });
  const [isBreaking, setBreaking] = useState(false);
  const meaning = useQuery({
    queryKey: ['context', query],
    queryFn: async ({ signal }): Promise<Meaning> => {
      const answer = await request(`/api/v1/context${query}`, { signal });
      return (await answer.json()) as Meaning;
    },
  });
  const target = meaning.data === undefined ? null : targetOf(meaning.data);
  useEffect(() => {
    if (target !== null) window.location.replace(target);
  }, [target]);

  if (meaning.isError) {
    return (
      <>
        <PageHeader title={say('title')} />
        <Failure error={meaning.error} onRetry={() => void meaning.refetch()} />
      </>
    );
  }
  if (meaning.data === undefined || target !== null) return <Loading />;
  const { state, studies, outside_scope: hidden } = meaning.data;
  if (state === 'unknown' || state === 'outside-scope') {
    return (
      <>
        <PageHeader title={say('title')} />
        <Empty
          title={say(hidden === null ? 'unknown' : 'outside')}
          action={
            hidden === null ? (
              <Button variant="default" onClick={() => void meaning.refetch()}>
                {say('again')}
              </Button>
            ) : (
              <Button color="red" onClick={() => setBreaking(true)}>
                {say('openFile')}
              </Button>
            )
          }
        >
          {hidden === null ? say('unknownText') : null}
        </Empty>
        {isBreaking && hidden !== null ? (
          <BreakGlassDialog
            study={hidden}
            onOpened={() => setBreaking(false)}
            onClose={() => setBreaking(false)}
          />
        ) : null}
      </>
    );
  }
  return (
    <>
      <PageHeader title={say(state === 'several-patients' ? 'choosePatient' : 'chooseStudy')} />
      <Choice studies={studies} viewer={meaning.data.viewer} />
    </>
  );
}

function Choice(props: { readonly studies: readonly CalledStudy[]; readonly viewer: string }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const columns: readonly Column<CalledStudy>[] = [
    {
      key: 'patient',
      title: say('patient'),
      sortBy: (row) => row.patient_name,
      render: (row) => (row.patient_name ?? '').replaceAll('^', ' '),
    },
    {
      key: 'born',
      title: say('born'),
      sortBy: (row) => row.patient_birth_date,
      render: (row) => (row.patient_birth_date === null ? '' : format.date(row.patient_birth_date)),
    },
    {
      key: 'identifier',
      title: say('identifier'),
      render: (row) => [row.patient_id, row.issuer_of_patient_id].filter(Boolean).join(' · '),
    },
    {
      key: 'date',
      title: say('date'),
      sortBy: (row) => row.study_date,
      render: (row) => (row.study_date === null ? '' : format.date(row.study_date)),
    },
    { key: 'description', title: say('description'), render: (row) => row.study_description ?? '' },
    { key: 'modalities', title: say('modalities'), render: (row) => row.modalities_in_study.join(' ') },
    { key: 'accession', title: say('accession'), render: (row) => row.accession_number ?? '' },
    {
      key: 'open',
      title: say('open'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Button size="compact-xs" component="a" href={viewerOf(row.study_instance_uid, props.viewer)}>
          {say('open')}
        </Button>
      ),
    },
  ];
  return (
    <Panel isFlush>
      <DataTable
        label={say('chooseStudy')}
        rows={props.studies}
        columns={columns}
        rowKey={(row) => row.study_instance_uid}
        onOpen={(row) => window.location.assign(viewerOf(row.study_instance_uid, props.viewer))}
      />
    </Panel>
  );
}

/** Where a call leads at once; null when somebody must choose or there is nothing. */
export function targetOf(meaning: Meaning): string | null {
  if (meaning.registered_patient !== null) return `/patients/registered/${meaning.registered_patient}`;
  const first = meaning.studies[0];
  if (first === undefined) return null;
  if (meaning.state === 'study') return viewerOf(first.study_instance_uid, meaning.viewer);
  if (meaning.state === 'patient') return `/patients/${first.patient_key}`;
  return null;
}

function viewerOf(study: string, viewer: string): string {
  const uid = encodeURIComponent(study);
  return viewer === 'OHIF' ? `/ohif/viewer?StudyInstanceUIDs=${uid}` : `/viewer?studyUID=${uid}`;
}
