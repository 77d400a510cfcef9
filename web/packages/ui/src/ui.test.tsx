// @vitest-environment jsdom
import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ReactNode, useMemo, useState } from 'react';
import { afterEach, expect, it, vi } from 'vitest';
import {
  type Action,
  ActionsProvider,
  ConfirmProvider,
  DataTable,
  DateField,
  ErrorBoundary,
  Failure,
  type Language,
  LanguageProvider,
  useActions,
  useConfirm,
} from './index';

afterEach(cleanup);

function show(children: ReactNode, language: Language = 'en') {
  render(
    <LanguageProvider language={language} onChange={() => undefined}>
      <MantineProvider>
        <ConfirmProvider>
          <ActionsProvider>{children}</ActionsProvider>
        </ConfirmProvider>
      </MantineProvider>
    </LanguageProvider>,
  );
  return userEvent.setup({ delay: null });
}

function Page(props: { readonly onRefresh: () => void }): ReactNode {
  const { onRefresh } = props;
  const actions = useMemo<readonly Action[]>(
    () => [{ id: 'refresh', label: { en: 'Refresh', fr: 'Rafraîchir' }, shortcut: 'r', perform: onRefresh }],
    [onRefresh],
  );
  useActions(actions);
  return <input aria-label="field" />;
}

it('does an action by its shortcut, from the palette, and shows it in the help', async () => {
  const onRefresh = vi.fn();
  const user = show(<Page onRefresh={onRefresh} />, 'fr');
  await user.keyboard('r');
  expect(onRefresh).toHaveBeenCalledTimes(1);
  await user.type(screen.getByLabelText('field'), 'r?');
  expect(onRefresh).toHaveBeenCalledTimes(1);
  await user.click(document.body);
  await user.keyboard('{Control>}k{/Control}');
  await user.keyboard('rafraichir{Enter}');
  expect(onRefresh).toHaveBeenCalledTimes(2);
  await vi.waitFor(() => expect(document.querySelector('[aria-modal=true]')).toBeNull());
  await user.keyboard('?');
  expect(within(await screen.findByRole('dialog')).getByText('Rafraîchir')).toBeTruthy();
});

function Asking(props: { readonly answers: boolean[] }): ReactNode {
  const confirm = useConfirm();
  async function ask(): Promise<void> {
    props.answers.push(await confirm({ title: 'Delete?', text: 'Gone.', verb: 'Delete' }));
  }
  return (
    <button type="button" onClick={() => void ask()}>
      ask
    </button>
  );
}

function Broken(): ReactNode {
  throw new Error('<b>broken</b>');
}

it('asks before what cannot be undone, and takes no for an answer', async () => {
  const answers: boolean[] = [];
  const user = show(<Asking answers={answers} />);
  await user.click(screen.getByText('ask'));
  await user.click(await screen.findByRole('button', { name: 'Cancel' }));
  await vi.waitFor(() => expect(document.querySelector('[aria-modal=true]')).toBeNull());
  await user.click(screen.getByText('ask'));
  await user.click(await screen.findByRole('button', { name: 'Delete' }));
  expect(answers).toEqual([false, true]);
});

it('sorts with absent values last, walks with the arrows, opens with Enter', async () => {
  const opened: string[] = [];
  const rows = [
    { id: 'b', n: 10 },
    { id: 'a', n: 9 },
    { id: 'c', n: null },
  ];
  const user = show(
    <DataTable
      label="numbers"
      rows={rows}
      rowKey={(row) => row.id}
      onOpen={(row) => opened.push(row.id)}
      columns={[{ key: 'n', title: 'N', render: (row) => row.id, sortBy: (row) => row.n }]}
    />,
  );
  const order = () => screen.getAllByRole('cell').map((cell) => cell.textContent);
  await user.click(screen.getByRole('button', { name: 'N' }));
  expect(order()).toEqual(['a', 'b', 'c']);
  expect(screen.getByRole('columnheader').getAttribute('aria-sort')).toBe('ascending');
  await user.tab();
  await user.keyboard('{ArrowDown}{Enter}{End}{Enter}');
  expect(opened).toEqual(['b', 'c']);
});

it('keeps the rest of a page alive when a part throws', async () => {
  const silence = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  show(
    <>
      <ErrorBoundary>
        <Broken />
      </ErrorBoundary>
      <p>alive</p>
    </>,
  );
  expect(screen.getByText('alive')).toBeTruthy();
  expect(screen.getByText('Error: <b>broken</b>')).toBeTruthy();
  silence.mockRestore();
});

it('tells of a refusal in the reader’s language, and of an unknown one by its title', () => {
  show(<Failure error={{ code: 'forbidden', title: 'This account may not do that' }} />, 'fr');
  expect(screen.getByText('Votre compte ne permet pas cela.')).toBeTruthy();
  cleanup();
  show(<Failure error={{ code: 'new-code', title: 'Something new' }} />);
  expect(screen.getByText('Something new')).toBeTruthy();
});

function Day(props: { readonly onChange: (day: string) => void }): ReactNode {
  const [day, setDay] = useState('');
  return (
    <DateField
      aria-label="le"
      value={day}
      onChange={(next) => {
        props.onChange(next);
        setDay(next);
      }}
    />
  );
}

it('takes a day as it is typed, shows it in the language and puts the month away', async () => {
  const onChange = vi.fn();
  const user = show(<Day onChange={onChange} />, 'fr');
  const field = screen.getByLabelText<HTMLInputElement>('le');
  expect(field.placeholder).toBe('jj/mm/aaaa');
  await user.click(field);
  expect(await screen.findByRole('table')).toBeTruthy();
  await user.type(field, '03051961');
  expect(onChange.mock.calls).toEqual([['1961-05-03']]);
  await vi.waitFor(() => expect(screen.queryByRole('table')).toBeNull());
  await user.tab();
  expect(field.value).toBe('03/05/1961');
  await user.type(field, '{Backspace}');
  await user.tab();
  expect(field.value).toBe('03/05/1961');
  await user.clear(field);
  expect(onChange).toHaveBeenLastCalledWith('');
  await user.type(field, '4/6/62');
  expect(onChange).toHaveBeenLastCalledWith('');
  await user.tab();
  expect(onChange).toHaveBeenLastCalledWith('1962-06-04');
  expect(field.value).toBe('04/06/1962');
});
