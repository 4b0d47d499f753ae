/** A metadata value. Numbers are whole (u32) where `Number.isInteger` says so, else f32. */
type Value = string | number | string[] | number[];

interface Packed {
  name: string;
  /** As torch has them. */
  shape: [number] | [number, number];
  type: number;
  bytes: Uint8Array;
}

/** GGUF's numbers of value types and of tensor types. */
const [U32, I32, FLOAT, STRING, ARRAY] = [4, 5, 6, 8, 9];
const [F32, Q8_0] = [0, 8];
const ALIGNMENT = 32;

const WIDTH = 64;
const INNER = 96;
const HEADS = 4;
const KEY_HEADS = 2;
const LAYERS = 1;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const u64 = (value: number): Buffer => Buffer.concat([u32(value), u32(0)]);

const f32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function written(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(STRING), text(value)]);
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? Buffer.concat([u32(U32), u32(value)])
      : Buffer.concat([u32(FLOAT), f32(value)]);
  }
  const items = value.map((item) => (typeof item === 'string' ? text(item) : u32(item)));
  const type = typeof value[0] === 'string' ? STRING : I32;
  return Buffer.concat([u32(ARRAY), u32(type), u64(items.length), ...items]);
}

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);

function gguf(metadata: Record<string, Value>, tensors: Packed[]): Buffer {
  const entries = Object.entries(metadata).flatMap(([key, value]) => [text(key), written(value)]);
  let offset = 0;
  const listed = tensors.flatMap(({ name, shape, type, bytes }) => {
    const sizes = [...shape].reverse().map(u64);
    const entry = [text(name), u32(shape.length), ...sizes, u32(type), u64(offset)];
    offset += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    return entry;
  });
  const header = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(Object.keys(metadata).length)];
  const data = tensors.map(({ bytes }) => padded(Buffer.from(bytes)));
  return Buffer.concat([padded(Buffer.concat([...header, ...entries, ...listed])), ...data]);
}

/** The characters that byte-level tokenizers write for bytes: printable ones of Latin-1 stand for themselves. */
function byteCharacters(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    if (printable) return String.fromCodePoint(byte);
    others += 1;
    return String.fromCodePoint(0xff + others);
  });
}

/** A Llama of one layer with random weights in Q8_0, blocks of a scale in half precision and 32 bytes, and a token a byte. */
export function packedLlama(): Buffer {
  const tokens = ['<|start|>', '<|end|>', ...byteCharacters(), 'he'];
  // Numerical Recipes' generator: any numbers do, but the same ones each time.
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  const linear = (name: string, rows: number, columns: number): Packed => {
    const bytes = Uint8Array.from({ length: ((rows * columns) / 32) * 34 }, random);
    // 2⁻⁹ in half precision, so that values reach to a quarter.
    for (let block = 0; block < bytes.length; block += 34) bytes.set([0x00, 0x18], block);
    return { name: `${name}.weight`, shape: [rows, columns], type: Q8_0, bytes };
  };
  const norm = (name: string): Packed => {
    const bytes = Buffer.concat(Array.from({ length: WIDTH }, () => f32(1)));
    return { name: `${name}.weight`, shape: [WIDTH], type: F32, bytes };
  };
  const keys = (WIDTH / HEADS) * KEY_HEADS;
  const blocks = Array.from({ length: LAYERS }, (_, layer) => [
    norm(`blk.${layer}.attn_norm`),
    linear(`blk.${layer}.attn_q`, WIDTH, WIDTH),
    linear(`blk.${layer}.attn_k`, keys, WIDTH),
    linear(`blk.${layer}.attn_v`, keys, WIDTH),
    linear(`blk.${layer}.attn_output`, WIDTH, WIDTH),
    norm(`blk.${layer}.ffn_norm`),
    linear(`blk.${layer}.ffn_gate`, INNER, WIDTH),
    linear(`blk.${layer}.ffn_up`, INNER, WIDTH),
    linear(`blk.${layer}.ffn_down`, WIDTH, INNER),
  ]);
  const tensors = [linear('token_embd', tokens.length, WIDTH), ...blocks.flat(), norm('output_norm')];
  return gguf(
    {
      'general.architecture': 'llama',
      'general.name': 'packed',
      'llama.block_count': LAYERS,
      'llama.context_length': 64,
      'llama.embedding_length': WIDTH,
      'llama.feed_forward_length': INNER,
      'llama.attention.head_count': HEADS,
      'llama.attention.head_count_kv': KEY_HEADS,
      'llama.rope.dimension_count': WIDTH / HEADS,
      'llama.attention.layer_norm_rms_epsilon': 1e-5,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'smollm',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': tokens.map((_, id) => (id < 2 ? 3 : 1)),
      'tokenizer.ggml.merges': ['h e'],
      'tokenizer.ggml.bos_token_id': 0,
      'tokenizer.ggml.eos_token_id': 1,
    },
    tensors,
  );
}
