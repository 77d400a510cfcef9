/** The viewer without a browser: state, tools and geometry as typed data and pure functions. */
export {};
