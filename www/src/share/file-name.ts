/** A name that every file system takes. */
export function fileName(words: string): string {
  const plain = words
    .normalize('NFKD')
    .replace(/[^\w.+-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return plain === '' ? 'run' : plain.slice(0, 80);
}
