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

/** Its steps 6 and 7 carry white text (WCAG 2.2 §1.4.3). */
const red: MantineColorsTuple = [
  '#fff1f0',
  '#ffe0de',
  '#ffc3c0',
  '#ff9c98',
  '#f77470',
  '#e65350',
  '#d13434',
  '#c22b2b',
  '#a62222',
  '#861a1a',
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
  primaryShade: { light: 7, dark: 6 },
  colors: { teal, red, dark },
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
    // What scrolls is reached by the keyboard.
    TableScrollContainer: { defaultProps: { type: 'native', tabIndex: 0 } },
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
    '--mantine-color-placeholder': '#6b7884',
    '--mantine-color-error': '#c22b2b',
    // Text on tints: dark enough to be read (WCAG 2.2 §1.4.3).
    '--mantine-color-yellow-light': '#fff3cf',
    '--mantine-color-yellow-light-color': '#6b4a00',
    '--mantine-color-orange-light-color': '#8a3d00',
    '--mantine-color-green-light-color': '#1d6a31',
    '--mantine-color-red-light-color': '#a32020',
    '--mantine-color-blue-light-color': '#14568f',
    '--mantine-color-gray-light-color': '#3f4b55',
  },
  dark: {
    '--n-surface': 'var(--mantine-color-dark-7)',
    '--n-page': 'var(--mantine-color-dark-8)',
    '--n-border': 'var(--mantine-color-dark-5)',
    '--n-hover': 'var(--mantine-color-dark-6)',
    '--n-selected': '#143a42',
    '--mantine-color-dimmed': '#97a6b2',
    // Tints of alerts and badges: quiet in a dark room.
    '--mantine-color-gray-light': 'rgba(142, 155, 166, 0.18)',
    '--mantine-color-gray-light-color': '#c9d3db',
    '--mantine-color-red-light': 'rgba(224, 80, 80, 0.16)',
    '--mantine-color-red-light-color': '#ffb3b0',
    '--mantine-color-yellow-light': 'rgba(214, 160, 40, 0.16)',
    '--mantine-color-yellow-light-color': '#f2cf86',
    '--mantine-color-orange-light': 'rgba(224, 130, 50, 0.16)',
    '--mantine-color-orange-light-color': '#f5c195',
    '--mantine-color-blue-light': 'rgba(66, 140, 214, 0.18)',
    '--mantine-color-blue-light-color': '#a9d1f7',
    '--mantine-color-green-light': 'rgba(70, 170, 100, 0.16)',
    '--mantine-color-green-light-color': '#a5deb6',
    '--mantine-color-teal-light': 'rgba(42, 154, 163, 0.2)',
    '--mantine-color-teal-light-color': '#9fd9dd',
    '--mantine-color-error': '#ff8a87',
    '--mantine-color-placeholder': '#8493a0',
  },
});
