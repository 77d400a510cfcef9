import type { ReactNode } from 'react';

/** Drawings of the toolbar, on a grid of 24. */
const PATHS: Readonly<Record<string, ReactNode>> = {
  'tool.window': (
    <>
      <circle cx="12" cy="12" r="8" />
      <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" stroke="none" />
    </>
  ),
  'tool.scroll': <path d="M5 7h11v11H5zM8 4h11v11M12 9.5v6M10 13.5l2 2 2-2" />,
  'tool.zoom': <path d="M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20M10.5 8v5M8 10.5h5" />,
  'tool.pan': (
    <path d="M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5" />
  ),
  'tool.length': <path d="M3.5 16.5l13-13 4 4-13 13zM7 13l2 2M10 10l2.5 2.5M13 7l2 2" />,
  'tool.angle': <path d="M4 19h16M4 19L17 5M11 19a7 7 0 0 0-2.2-5.1" />,
  'tool.ellipse': (
    <>
      <ellipse cx="12" cy="12" rx="9" ry="6" />
      <path d="M9.5 12h5M12 9.5v5" />
    </>
  ),
  'tool.rectangle': <path d="M3.5 6.5h17v11h-17zM9.5 12h5M12 9.5v5" />,
  'tool.freehand': <path d="M5 15c-2-4 1-9 6-9 3 0 4 2 6 2s4 2 3 5-4 2-5 4-3 3-6 2-3-1-4-4z" />,
  'tool.probe': (
    <>
      <path d="M12 3v5M12 16v5M3 12h5M16 12h5" />
      <circle cx="12" cy="12" r="1.6" fill="currentColor" />
    </>
  ),
  'tool.arrow': <path d="M4 20L15 9M9 8.5h6.5V15M15 20h6M18 20v-6M16 14h4" />,
  'tool.crosshair': <path d="M12 3v6M12 15v6M3 12h6M15 12h6" />,
  'view.invert': (
    <>
      <path d="M4 5h16v14H4z" />
      <path d="M4 19L20 5v14z" fill="currentColor" stroke="none" />
    </>
  ),
  'view.rotateRight': <path d="M19 12a7 7 0 1 1-3-5.7M16.5 2.5v4h-4" />,
  'view.rotateLeft': <path d="M5 12a7 7 0 1 0 3-5.7M7.5 2.5v4h4" />,
  'view.flipHorizontal': <path d="M12 3v18M9 7v10H3.5zM15 7v10h5.5z" />,
  'view.flipVertical': <path d="M3 12h18M7 9h10V3.5zM7 15h10v5.5z" />,
  'view.fit': <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M9 9h6v6H9z" />,
  'view.actualSize': <path d="M4 8l2-1.5V18M4 18h4M18 8l2-1.5V18M17 18h5M12 10v.5M12 15v.5" />,
  'view.reset': <path d="M4 5v5h5M4.5 10A8 8 0 1 1 4 13" />,
  'layout.1x1': <path d="M4 5h16v14H4z" />,
  'layout.1x2': <path d="M4 5h16v14H4zM12 5v14" />,
  'layout.2x1': <path d="M4 5h16v14H4zM4 12h16" />,
  'layout.2x2': <path d="M4 5h16v14H4zM12 5v14M4 12h16" />,
  'layout.sidebar': <path d="M4 5h16v14H4zM9 5v14M6 8h1M6 11h1M6 14h1" />,
  'layout.fullscreen': <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />,
  'navigate.link': (
    <path d="M9.5 14.5l5-5M11 7l1.5-1.5a4 4 0 0 1 6 6L17 13M13 17l-1.5 1.5a4 4 0 0 1-6-6L7 11" />
  ),
  'cine.play': <path d="M7 4.5v15l12-7.5z" fill="currentColor" />,
  'cine.stop': <path d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" fill="currentColor" />,
  'cine.slower': <path d="M6 12h12" />,
  'cine.faster': <path d="M6 12h12M12 6v12" />,
  'volume.mpr': <path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9" />,
  'volume.mip': (
    <>
      <path d="M12 3l8 4.5v9L12 21l-8-4.5v-9z" />
      <path d="M12 8v8M9.5 13.5L12 16l2.5-2.5" />
    </>
  ),
  overlays: (
    <path d="M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z" />
  ),
  'edit.undo': <path d="M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3" />,
  'edit.redo': <path d="M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h3" />,
  'edit.remove': <path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5" />,
  'edit.screenshot': (
    <>
      <path d="M4 8h3.5L9 5.5h6L16.5 8H20v11H4z" />
      <circle cx="12" cy="13" r="3.2" />
    </>
  ),
  'edit.copy': <path d="M8 8h11v12H8zM8 16H5V4h11v4" />,
  'help.keys': <path d="M3 7h18v10H3zM6 10h.5M9.5 10h.5M13 10h.5M16.5 10h.5M7 14h10" />,
  back: <path d="M14.5 5L7.5 12l7 7" />,
  close: <path d="M6 6l12 12M18 6L6 18" />,
  chevron: <path d="M7 10l5 5 5-5" />,
  presets: <path d="M4 18c4 0 4-12 8-12h8M4 21h16" />,
  view: <path d="M6 5h12v14H6zM3 12h3M18 12h3M12 2.5V5M12 19v2.5" />,
  document: <path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6" />,
  video: <path d="M3 6h12v12H3zM15 10.5l6-3v9l-6-3" />,
  waveform: <path d="M2 13h5l1.5-3L10 13l1-8 2.5 14 1.5-6h7" />,
  warning: <path d="M12 4l9 16H3zM12 10v4.5M12 17v.5" />,
};

export function Icon(props: { readonly name: string; readonly size?: number }): ReactNode {
  const { name, size = 20 } = props;
  return (
    <svg
      className="nv-icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {PATHS[name]}
    </svg>
  );
}

/** Whether there is a drawing of that name. */
export const hasIcon = (name: string): boolean => name in PATHS;
