# Random numbers as the page draws them, so that its split, its order of examples and its first lora_A are drawn here too.
# Only Python's own library; factors are drawn with torch's integers in place of Python's.

WORD = 2**32 - 1
# "expand 32-byte k", the columns and the diagonals: ChaCha as its author defines it, of eight rounds.
CHACHA = [int.from_bytes(b"expand 32-byte k"[place : place + 4], "little") for place in (0, 4, 8, 12)]
QUARTERS = [
    *[(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)],
    *[(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)],
]
SPLIT_STREAM = 2**64 - 1


def chacha_block(key, stream, counter):
    """The sixteen words of a block: integers, or tensors of them where `counter` is a tensor of integers."""
    first = [*CHACHA, *key, counter & WORD, counter >> 32, stream & WORD, stream >> 32]
    words = list(first)

    def mix(to, by, turned, bits):
        words[to] = (words[to] + words[by]) & WORD
        mixed = words[turned] ^ words[to]
        words[turned] = (mixed << bits) & WORD | mixed >> (32 - bits)

    for _ in range(4):
        for a, b, c, d in QUARTERS:
            mix(a, b, d, 16)
            mix(c, d, b, 12)
            mix(a, b, d, 8)
            mix(c, d, b, 7)
    return [(word + before) & WORD for word, before in zip(words, first)]


def shuffled(count, seed, stream):
    """The numbers below count, as Fisher and Yates shuffle them from the last place down."""
    key = [seed & WORD, seed >> 32, 0, 0, 0, 0, 0, 0]

    def draws():
        counter = 0
        while True:
            words = chacha_block(key, stream, counter)
            counter += 1
            yield from (low | high << 32 for low, high in zip(words[::2], words[1::2]))

    draw, order = draws(), list(range(count))
    for place in range(count - 1, 0, -1):
        # Draws above the largest multiple would prefer small numbers.
        largest = 2**64 - 1 - (2**64 - 1) % (place + 1)
        other = next(number for number in draw if number < largest) % (place + 1)
        order[place], order[other] = order[other], order[place]
    return order


def spread(seed):
    """The key that a short seed stands for: eight numbers of PCG, of 32 bits each."""
    key, state = [], seed
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) % 2**64
        mixed, turn = (state >> 18 ^ state) >> 27 & WORD, state >> 59
        key.append((mixed >> turn | mixed << 32 - turn) & WORD)
    return key


def first_lora_a(rank, inputs, seed, stream):
    """lora_A of one layer, [rank, inputs], evenly between -1/√inputs and 1/√inputs."""
    count = rank * inputs
    counters = torch.arange((count + 15) // 16, dtype=torch.int64)
    block = [word.expand(len(counters)) for word in map(torch.as_tensor, chacha_block(spread(seed), stream, counters))]
    words = torch.stack(block, 1).flatten()[:count]
    # Of 32 bits the upper 23, as a part of 1; what follows is computed in f32.
    part = (words >> 9).float() / 2**23
    bound = 1 / torch.tensor(float(inputs)).sqrt()
    return (part * (bound + bound) - bound).view(rank, inputs)


def split_by_prompt(prompts, wanted, seed):
    """Places of the examples to train on, and of `wanted` that are held out: examples of one prompt stay together, where one fits."""
    members = {}
    for place, prompt in enumerate(prompts):
        members.setdefault((place, None) if prompt is None else prompt, []).append(place)
    members, held_out = list(members.values()), set()
    for number in shuffled(len(members), seed, SPLIT_STREAM):
        if len(held_out) + len(members[number]) <= wanted:
            held_out.update(members[number])
    if wanted and not held_out:
        held_out.update(shuffled(len(prompts), seed, SPLIT_STREAM)[:wanted])
    places = range(len(prompts))
    return [place for place in places if place not in held_out], sorted(held_out)
