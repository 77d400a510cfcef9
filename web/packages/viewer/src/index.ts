/** The viewer as React components around `@negatoscope/viewer-core`. */
export { startGraphics } from './engine/graphics';
export { Viewer, type ViewerProps } from './ui/Viewer';
