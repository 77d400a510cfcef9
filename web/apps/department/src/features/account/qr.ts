import qrcode from 'qrcode-generator';

/** A QR code as one SVG path in modules, drawn here: the secret goes to no other server. */
export interface QrPath {
  /** Modules on a side, with the quiet zone. */
  readonly size: number;
  readonly path: string;
}

/** The quiet zone (ISO/IEC 18004 §9.1). */
const QUIET = 4;

export function qrPath(text: string): QrPath {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    }
  }
  return { size: count + 2 * QUIET, path };
}
