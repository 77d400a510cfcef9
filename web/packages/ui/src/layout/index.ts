export { CopyText } from './CopyText';
export { PageHeader } from './PageHeader';
export { Panel } from './Panel';
