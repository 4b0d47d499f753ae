import type { Progress } from '../protocol';
import { hashFile } from './hash-file';
import type { RemoteFile } from './opfs-models';

/** Why a file is not the one that is known of: a few words; empty where it is, as far as anything is known of it. */
export async function whatDiffers(
  remote: RemoteFile,
  file: File,
  onProgress: (progress: Progress) => void,
): Promise<string> {
  const { name, bytes, sha256, git } = remote;
  if (bytes !== null && bytes !== file.size) return 'its length differs';
  const onBytes = (done: number) => onProgress({ action: `Checking ${name}`, done, total: file.size });
  if (sha256 !== null) {
    return (await hashFile(file, 'sha256', onBytes)) === sha256 ? '' : 'its SHA-256 differs';
  }
  if (git === undefined) return '';
  return (await hashFile(file, 'git', onBytes)) === git ? '' : 'its hash in git differs';
}

/** Whether all of them are the files that are known of, in their order. What cannot be read is none. */
export async function areRight(
  remotes: readonly RemoteFile[],
  files: readonly File[],
  onProgress: (progress: Progress) => void,
): Promise<boolean> {
  try {
    for (const [index, remote] of remotes.entries()) {
      const file = files[index];
      if (file === undefined || (await whatDiffers(remote, file, onProgress)) !== '') return false;
    }
    return true;
  } catch {
    return false;
  }
}
