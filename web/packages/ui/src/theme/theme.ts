import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const teal: MantineColorsTuple = [
  '#e6f6f7',
  '#cdeaec',
  '#9fd5d9',
  '#6dbfc5',
  '#45adb5',
  '#2a9aa3',
  '#177f89',
  '#0f6a73',
  '#0b565e',
  '#06414a',
];

/** Blue-grey steps of the reading room: 9 behind images, 7 and 8 for panels, 0 for text. */
const dark: MantineColorsTuple = [
  '#d5dde4',
  '#aebbc6',
  '#8a99a6',
  '#5f6f7c',
  '#3c4a56',
  '#2b3742',
  '#212b35',
  '#182028',
  '#10161c',
  '#0a0e12',
];

/** Dense and quiet: people look at it eight hours a day. Light for the office, dark for reading. */
export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: { light: 7, dark: 5 },
  colors: { teal, dark },
  autoContrast: true,
  fontFamily: 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "Noto Sans Mono", "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  defaultRadius: 'sm',
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.25rem' }, h2: { fontSize: '1.0625rem' }, h3: { fontSize: '0.9375rem' } },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 300, withinPortal: true } },
    Table: { defaultProps: { verticalSpacing: 4, horizontalSpacing: 8, fz: 'sm' } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.4 } } },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: { '--n-row-height': '30px', '--n-header-height': '44px', '--n-nav-width': '200px' },
  light: {
    '--n-surface': '#ffffff',
    '--n-page': '#f4f6f8',
    '--n-border': '#d8dee4',
    '--n-hover': '#eef3f5',
    '--n-selected': '#dcf0f2',
    '--mantine-color-dimmed': '#56636f',
  },
  dark: {
    '--n-surface': 'var(--mantine-color-dark-7)',
    '--n-page': 'var(--mantine-color-dark-8)',
    '--n-border': 'var(--mantine-color-dark-5)',
    '--n-hover': 'var(--mantine-color-dark-6)',
    '--n-selected': '#143a42',
    '--mantine-color-dimmed': '#97a6b2',
  },
});
