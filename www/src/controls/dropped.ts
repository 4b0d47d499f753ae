/** All files of a drop, those in folders too. */
export async function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return [...transfer.files];
  const found = await Promise.all(entries.map((entry) => filesBelow(entry)));
  return found.flat();
}

async function filesBelow(entry: FileSystemEntry): Promise<File[]> {
  if (isFileEntry(entry)) return [await new Promise<File>((resolve, reject) => entry.file(resolve, reject))];
  if (!isFolder(entry)) return [];
  const reader = entry.createReader();
  const inside: FileSystemEntry[] = [];
  // A reader hands out a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    inside.push(...some);
  }
  const found = await Promise.all(inside.map((one) => filesBelow(one)));
  return found.flat();
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** Of a model folder, what the loader reads: GGUF files, which may be parts of one, or else what a download from a hub holds beside much else. */
export function modelFiles(files: readonly File[]): File[] {
  if (files.length <= 1) return [...files];
  const gguf = files.filter(({ name }) => /\.gguf$/i.test(name));
  if (gguf.length > 0) return gguf;
  const wanted = files.filter(({ name }) => /\.(safetensors|json|jinja)$/i.test(name));
  return wanted.length > 0 ? wanted : [...files];
}
