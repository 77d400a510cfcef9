/** A pane as a picture: the image, its drawings and its texts. */

export async function pictureOf(pane: HTMLElement): Promise<Blob | null> {
  const source = pane.querySelector('canvas');
  const box = pane.getBoundingClientRect();
  const scale = source ? source.width / Math.max(1, source.getBoundingClientRect().width) : 1;
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  const context = canvas.getContext('2d');
  if (context === null) return null;
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  if (source) context.drawImage(source, 0, 0, box.width, box.height);
  for (const svg of pane.querySelectorAll('svg')) await drawSvg(context, svg, box);
  for (const line of pane.querySelectorAll<HTMLElement>('[data-picture]')) drawText(context, line, box);
  const bar = pane.querySelector('.nv-scale');
  if (bar !== null) drawBar(context, bar.getBoundingClientRect(), box);
  return await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

async function drawSvg(context: CanvasRenderingContext2D, svg: SVGSVGElement, box: DOMRect): Promise<void> {
  const at = svg.getBoundingClientRect();
  if (at.width === 0 || at.height === 0) return;
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(at.width));
  copy.setAttribute('height', String(at.height));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode().catch(() => undefined);
  if (image.complete && image.naturalWidth > 0) {
    context.drawImage(image, at.left - box.left, at.top - box.top, at.width, at.height);
  }
}

/** The scale: a length on the screen, open at the top. */
function drawBar(context: CanvasRenderingContext2D, at: DOMRect, box: DOMRect): void {
  const [left, top] = [at.left - box.left, at.top - box.top];
  context.strokeStyle = '#cfd8df';
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(left, top + at.height);
  context.lineTo(left + at.width, top + at.height);
  context.lineTo(left + at.width, top);
  context.stroke();
}

function drawText(context: CanvasRenderingContext2D, line: HTMLElement, box: DOMRect): void {
  const at = line.getBoundingClientRect();
  const style = getComputedStyle(line);
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.fillStyle = style.color;
  context.textBaseline = 'middle';
  context.fillText(line.textContent ?? '', at.left - box.left, at.top - box.top + at.height / 2);
}
