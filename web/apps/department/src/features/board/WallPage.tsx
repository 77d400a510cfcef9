import { useMessages } from '@negatoscope/ui';
import { useRouter, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useTime } from './BoardTable';
import { type Criteria, readCriteria } from './criteria';
import { messages } from './messages';
import { delayOf, initialsOf } from './rows';
import { StateChip } from './StateChip';
import { useBoard } from './useBoard';
import classes from './WallPage.module.css';

const TURN_MS = 12_000;
const ROW_SHARE = 0.066;
/** Who has not come by then is not waited for on the wall. */
const MISSED_MIN = 60;
const SHOWN = new Set(['SCHEDULED', 'ARRIVED', 'READY', 'STARTED']);

/** For a screen on a wall: what is going on, with initials instead of names. */
export function WallPage(): ReactNode {
  const say = useMessages(messages);
  const router = useRouter();
  const query = useRouterState({ select: ({ location }) => location.searchStr });
  const criteria = useMemo<Criteria>(() => ({ ...readCriteria(query), day: '', text: '' }), [query]);
  const board = useBoard(criteria);
  const time = useTime(board.day?.time_zone ?? 'UTC');
  const rows = (board.day?.rows ?? []).filter(
    (row) =>
      SHOWN.has(row.state) && (row.state !== 'SCHEDULED' || (delayOf(row, board.now) ?? 0) <= MISSED_MIN),
  );
  const size = useRowsPerPage();
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((before) => before + 1), TURN_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    const leave = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') void router.navigate({ href: '/board' });
    };
    window.addEventListener('keydown', leave);
    return () => window.removeEventListener('keydown', leave);
  }, [router]);
  const page = turn % pages;
  return (
    <main className={classes['wall'] ?? ''}>
      <header className={classes['head'] ?? ''}>
        <h1>{say('wallTitle')}</h1>
        <span className={classes['state'] ?? ''} role="status">
          {board.isLive || board.day === undefined ? '' : say('reconnecting')}
        </span>
        <span>{pages > 1 ? say('wallPage', { page: page + 1, pages }) : ''}</span>
        <time>{board.day === undefined ? '' : time(new Date(board.now).toISOString())}</time>
        <button
          type="button"
          className={classes['leave'] ?? ''}
          onClick={() => void router.navigate({ href: '/board' })}
        >
          {say('leaveWall')}
        </button>
      </header>
      <table className={classes['table'] ?? ''}>
        <thead>
          <tr>
            <th scope="col">{say('columnTime')}</th>
            <th scope="col">{say('anyRoom')}</th>
            <th scope="col">{say('columnPatient')}</th>
            <th scope="col">{say('columnState')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(page * size, (page + 1) * size).map((row) => (
            <tr key={row.step} data-fresh={board.fresh.has(row.step) || undefined}>
              <td>{time(row.start_at)}</td>
              <td>{row.room_name}</td>
              <td>{initialsOf(row)}</td>
              <td>
                <StateChip state={row.state} isLarge />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && board.day !== undefined ? (
        <p className={classes['none'] ?? ''}>{say('none')}</p>
      ) : null}
    </main>
  );
}

function useRowsPerPage(): number {
  const [height, setHeight] = useState(window.innerHeight);
  useEffect(() => {
    const measure = (): void => setHeight(window.innerHeight);
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  }, []);
  return Math.max(4, Math.floor((height * 0.82) / Math.max(44, height * ROW_SHARE)));
}
