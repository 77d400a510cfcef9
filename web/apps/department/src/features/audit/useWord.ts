import { useMessages } from '@negatoscope/ui';
import { words } from './messages';

/** Says a stored word (class, outcome, kind of actor) in the reader's language; others as they are. */
export function useWord(): (stored: string) => string {
  const say = useMessages(words);
  return (stored) => (stored in words.en ? say(stored as keyof typeof words.en) : stored);
}
