import fc from 'fast-check';
import { imageFacts } from '../../src/images/pictures/image-header';
import { whatIsWrong } from '../../src/images/pictures/read-picture';
import { wounded } from './damage';
import { fuzz } from './fuzz';

const bytes = (...parts: (number[] | string)[]) =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : part)),
  );

const seeds = [
  bytes(
    [0x89],
    'PNG\r\n\x1a\n',
    [0, 0, 0, 13],
    'IHDR',
    [0, 0, 0, 9, 0, 0, 0, 7, 8, 6, 0, 0, 0, 1, 2, 3, 4],
    [0, 0, 0, 8],
    'acTL',
    [0, 0, 0, 2, 0, 0, 0, 0, 1, 2, 3, 4],
    [0, 0, 0, 1],
    'IDAT',
    [0, 1, 2, 3, 4],
  ),
  bytes(
    [0xff, 0xd8, 0xff, 0xe0, 0, 16],
    'JFIF\0',
    [1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xff, 0xc4, 0, 4, 1, 2],
    [0xff, 0xc2, 0, 17, 8, 0, 7, 0, 9, 3, 1, 17, 0, 2, 17, 1, 3, 17, 1, 0xff, 0xd9],
  ),
  bytes(
    'RIFF',
    [40, 0, 0, 0],
    'WEBPVP8X',
    [10, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 6, 0, 0],
    'ANIM',
    [6, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ),
  bytes('RIFF', [30, 0, 0, 0], 'WEBPVP8L', [10, 0, 0, 0, 0x2f, 8, 128, 1, 0, 1, 2, 3]),
  bytes('RIFF', [30, 0, 0, 0], 'WEBPVP8 ', [10, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 9, 0, 7, 0]),
  bytes(
    'GIF89a',
    [9, 0, 7, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6, 0x21, 0xf9, 4, 0, 0, 0, 0, 0],
    [0x2c, 0, 0, 0, 0, 9, 0, 7, 0, 0, 2, 2, 1, 2, 0],
    [0x2c, 0, 0, 0, 0, 9, 0, 7, 0, 0x80, 1, 2, 3, 4, 5, 6, 2, 2, 1, 2, 0, 0x3b],
  ),
  bytes(
    '<?xml version="1.0"?><!-- <svg> --><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" width="9"></svg>',
  ),
];

fuzz('image headers', 30_000, fc.oneof(wounded(seeds), fc.uint8Array({ maxLength: 300 })), (input) => {
  const facts = imageFacts(input);
  const wrong = whatIsWrong('a.png', input.length, facts);
  if (facts === null) return false;
  for (const size of [facts.width, facts.height]) {
    if (!Number.isInteger(size) || size < 0) throw new Error(`a size of ${size}`);
  }
  return wrong === '';
});
