import { failed, type Result, success, wordsOf } from '../result';
import { PICTURE_HEIGHT, PICTURE_WIDTH } from './picture-frame';

// Sharp in print and on fine screens.
const PIXELS = 2;

/** A picture in pixels, in the size of those of `picture-frame.ts` or its own: the browser draws it, so that both forms show the same. */
export async function pngOf(
  svg: string,
  width = PICTURE_WIDTH,
  height = PICTURE_HEIGHT,
): Promise<Result<Blob>> {
  try {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = width * PIXELS;
    canvas.height = height * PIXELS;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    return png === null
      ? failed('chart', 'This browser made no PNG of the chart. Save it as SVG.')
      : success(png);
  } catch (thrown) {
    return failed('chart', `This browser made no PNG of the chart (${wordsOf(thrown)}). Save it as SVG.`);
  }
}
