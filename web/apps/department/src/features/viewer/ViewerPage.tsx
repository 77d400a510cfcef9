import { call, Problem } from '@negatoscope/api-client';
import { useFormat } from '@negatoscope/ui';
import { startGraphics, Viewer } from '@negatoscope/viewer';
import type { Preferences, StudyInfo } from '@negatoscope/viewer-core';
import { useRouter, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { queryClient } from '../../app/queryClient';
import { sessionQuery, useSession } from '../session/session';
import { loadPreferences, rememberedPreferences, savePreferences } from './preferences';
import { studiesOf } from './studies';

/** Roles that read images for a living: all tools. Others have the ones a ward needs. */
const READERS: ReadonlySet<string> = new Set(['administrator', 'radiologist', 'technologist', 'physicist']);

/** Starts what takes time, before there is a study to show. */
export function ready(): void {
  startGraphics();
}

/** Emergency access to a study's patient: whether it was given. */
async function breakGlass(study: string, reason: string): Promise<boolean> {
  try {
    await call('POST /api/v1/break-glass', { body: { reason, study_instance_uid: study } });
    void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** `/viewer?studyUID=…&studyUID=…`: the first study, the others beside it. */
export function ViewerPage(): ReactNode {
  const { locale } = useFormat();
  const session = useSession();
  const router = useRouter();
  const query = useRouterState({ select: ({ location }) => location.searchStr });
  const studies = useMemo(() => studiesOf(query), [query]);
  const [preferences, setPreferences] = useState<Preferences>(rememberedPreferences);
  useEffect(() => {
    const stop = new AbortController();
    void loadPreferences(stop.signal).then((found) => {
      if (found !== null && !stop.signal.aborted) setPreferences(found);
    });
    return () => stop.abort();
  }, []);
  const keep = useCallback((next: Preferences) => {
    setPreferences(next);
    void savePreferences(next);
  }, []);
  const signIn = useCallback(() => {
    const here = `${location.pathname}${location.search}`;
    location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
  }, []);
  const back = useCallback(() => {
    if (router.history.canGoBack()) router.history.back();
    else location.assign('/studies');
  }, [router]);
  const title = useCallback((study: StudyInfo) => {
    document.title = [study.patientName, study.description, 'Negatoscope'].filter(Boolean).join(' · ');
  }, []);
  const level = session.user.roles.some((role) => READERS.has(role)) ? 'full' : 'basic';
  return (
    <Viewer
      studies={studies}
      language={locale}
      level={level}
      preferences={preferences}
      onPreferences={keep}
      onBack={back}
      onSignedOut={signIn}
      onBreakGlass={session.functions.includes('break glass') ? breakGlass : undefined}
      onTitle={title}
    />
  );
}
