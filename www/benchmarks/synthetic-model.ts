/** A Llama with the layers of a real one and the widths of a toy. */
export interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headWidth: number;
  readonly inner: number;
  readonly vocabulary: number;
}

/** SmolLM2-135M has 9 heads, 3 of keys, of width 64 and an inner width of 1,536: here a ninth or less of each. */
export const likeSmolLM2 = (layers: number): Shape => ({
  layers,
  heads: 3,
  keyHeads: 1,
  headWidth: 8,
  inner: 64,
  vocabulary: 2048,
});

/** config.json and model.safetensors with random weights; the tokenizer is another model's of the same vocabulary. */
export function syntheticModel(shape: Shape): Record<string, Uint8Array<ArrayBuffer>> {
  const width = shape.heads * shape.headWidth;
  const keys = shape.keyHeads * shape.headWidth;
  const sizes: [string, number[]][] = [
    ['model.embed_tokens.weight', [shape.vocabulary, width]],
    ['model.norm.weight', [width]],
  ];
  for (let layer = 0; layer < shape.layers; layer += 1) {
    const linears: [string, number[]][] = [
      ['input_layernorm', [width]],
      ['post_attention_layernorm', [width]],
      ['self_attn.q_proj', [width, width]],
      ['self_attn.k_proj', [keys, width]],
      ['self_attn.v_proj', [keys, width]],
      ['self_attn.o_proj', [width, width]],
      ['mlp.gate_proj', [shape.inner, width]],
      ['mlp.up_proj', [shape.inner, width]],
      ['mlp.down_proj', [width, shape.inner]],
    ];
    sizes.push(
      ...linears.map(([name, size]): [string, number[]] => [`model.layers.${layer}.${name}.weight`, size]),
    );
  }
  const header: Record<string, unknown> = {};
  let values = 0;
  for (const [name, size] of sizes) {
    const count = size.reduce((product, factor) => product * factor, 1);
    header[name] = { dtype: 'F32', shape: size, data_offsets: [values * 4, (values + count) * 4] };
    values += count;
  }
  // Numerical Recipes' generator: any numbers do, but the same ones each time.
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) / Math.sqrt(width);
  };
  const text = new TextEncoder();
  const names = text.encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + names.length + values * 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(names.length), true);
  bytes.set(names, 8);
  for (let index = 0; index < values; index += 1)
    view.setFloat32(8 + names.length + index * 4, random(), true);
  const config = {
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: width,
    intermediate_size: shape.inner,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyHeads,
    head_dim: shape.headWidth,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    vocab_size: shape.vocabulary,
  };
  return { 'config.json': text.encode(JSON.stringify(config)), 'model.safetensors': bytes };
}
