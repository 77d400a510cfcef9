export { describe as describeProblem, problemMessages } from './problems';
export { Crash, Empty, ErrorBoundary, Failure, Loading } from './states';
