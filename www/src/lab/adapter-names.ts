/** Files of an adapter as PEFT names them, and what MLX calls its weights. */
export const CONFIG = 'adapter_config.json';
export const WEIGHTS = 'adapter_model.safetensors';
export const MLX_WEIGHTS = 'adapters.safetensors';
/** Files that hold Python's objects. */
export const PICKLE = /\.(bin|pt|pth)$/i;
/** The largest adapter that is worth unpacking: rank 64 on all layers of a model that fits into a tab. */
export const MOST_BYTES = 1 << 30;

export const wayOut = `Use a PEFT folder in a zip, or its two files, ${CONFIG} and ${WEIGHTS}.`;

export function pickleWords(name: string): string {
  return `${name} can run code when it is opened and is not read; save it again with PEFT’s save_pretrained and safe_serialization=True.`;
}
