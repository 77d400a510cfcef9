/** The viewer as React components around `@negatoscope/viewer-core`. */
export {};
