/** Our components, theme and languages. */
export * from './actions';
export * from './dates';
export * from './feedback';
export * from './i18n';
export * from './layout';
export * from './states';
export * from './table';
export { theme, variables } from './theme/theme';
