import { Navigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useNavEntries } from '../../app/useNavEntries';

/** The first page of the menu: the studies, for who has them. */
export function HomePage(): ReactNode {
  const [first] = useNavEntries();
  return <Navigate to={first?.to ?? '/account'} replace />;
}
