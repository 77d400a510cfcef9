/** Our components, theme and languages. */
export * from './i18n';
export { theme, variables } from './theme/theme';
