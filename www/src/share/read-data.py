# Rows of a file, as the page reads them. Only Python's own library, and pyarrow where the file is parquet.

SEPARATORS = "|;\t,"
MARK = "||"
MESSAGES = ["messages", "conversations", "conversation"]
COLUMNS = [
    (["prompt", "context"], "completion"),
    (["prompt", "context"], "response"),
    (["question", "context"], "answer"),
    (["instruction", "input"], "output"),
    (["instruction", "context"], "response"),
    (["input"], "output"),
    (["input"], "target"),
    (["source"], "target"),
]
ENCODINGS = {
    "utf8": "utf-8",
    "utf16_little_endian": "utf-16-le",
    "utf16_big_endian": "utf-16-be",
    "windows1252": "cp1252",
}


class RowError(Exception):
    """Why one row is left out."""


class AsWritten(str):
    """A number, to the letter."""


def decoded(data, encoding):
    for mark, name in [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]:
        if data.startswith(mark):
            text = data[len(mark) :].decode(name)
            break
    else:
        text = data.decode(ENCODINGS[encoding or "utf8"])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def filled_lines(text):
    """Lines with their numbers. Only line ends divide them: Python's splitlines would also cut at U+2028."""
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def guessed(names):
    """The columns of a pair, by names in common use."""
    known = {}
    for name in names:
        known.setdefault(name.strip().lower(), name)
    for prompt, completion in COLUMNS:
        if prompt[0] in known and completion in known:
            return {"prompt": [known[name] for name in prompt if name in known], "completion": known[completion]}
    return None


def separator_of(header):
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=lambda separator: (outside.count(separator), SEPARATORS.index(separator)))


def format_of(name, text):
    suffix = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if suffix in ("jsonl", "ndjson", "json"):
        return "json_lines"
    if suffix in ("csv", "tsv"):
        return "table"
    letters = "".join(text.split())[:2]
    if letters[:2] == '{"' or (letters[:1] == "[" and letters[1:2] in ("{", "[")):
        return "json_lines"
    lines = [line for _, line in filled_lines(text)[:20]]
    if 2 * sum(MARK in line for line in lines) > len(lines):
        return "pairs"
    header, *rows = lines or [""]
    separator = separator_of(header)
    is_table = 2 * sum(separator in row for row in rows) > len(rows)
    names = [name.strip().strip('"') for name in header.split(separator)]
    return "table" if is_table and guessed(names) else "text"


def pair(system, prompt, completion):
    if not completion.strip():
        raise RowError("an empty answer")
    return {"system": system, "prompt": prompt, "completion": completion}


def joined(fields):
    return "\n".join([part for part in fields if part])


def as_text(fields, name):
    value = fields.get(name)
    if value is None:
        raise RowError(f"no field `{name}`")
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise RowError(f"a `{name}` that is not text")
    return str(value)


def refuse(fields, names):
    for name in names:
        if fields.get(name) not in (None, [], {}, "", "1", "1.0", True):
            raise RowError(f"the field `{name}`, which is not used in such rows")


def as_message(message, roles):
    if not isinstance(message, dict):
        raise RowError("a message that is no object")
    more = {name: plain(value) for name, value in message.items() if value is not None}
    role = more.pop("role" if "role" in message else "from", None)
    if not isinstance(role, str):
        raise RowError("a message without a `role`")
    content = more.pop("content" if "content" in message else "value", "")
    if isinstance(content, list):
        parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
        if any(part.get("type", "text") not in ("text", "input_text", "output_text") for part in parts):
            raise RowError("a part of `content` that is no text")
        content = "".join(part["text"] for part in parts)
    if not isinstance(content, str):
        raise RowError("a message whose `content` is not text")
    weight, train = more.pop("weight", 1), more.pop("train", True)
    if weight not in (0, 1) or train not in (True, False):
        raise RowError("a `weight` or `train` that cannot be used")
    if "function_call" in more:
        raise RowError("a `function_call`")
    if not more.get("tool_calls", True):
        more.pop("tool_calls")
    return {"role": roles.get(role, role), "content": content, "learned": bool(weight and train), "more": more}


def plain(value):
    """Numbers that were kept as they are written, as numbers: templates compute with them."""
    if isinstance(value, AsWritten):
        return json.loads(value)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def chat(messages, tools, roles):
    if not isinstance(messages, list):
        raise RowError("messages that are no list")
    messages = [as_message(message, roles) for message in messages]
    if not any(message["role"] == "assistant" for message in messages):
        raise RowError("no assistant message")
    return {"messages": messages, "tools": tools}


def tools_of(fields):
    tools = fields.get("tools")
    if isinstance(tools, str):
        tools = json.loads(tools) if tools.strip() else None
    if not tools:
        return None
    if not isinstance(tools, list):
        raise RowError("`tools` that are no list")
    return plain(tools)


def pair_of(fields, columns, system):
    first, *rest = columns["prompt"]
    prompt = [as_text(fields, first)] + [as_text(fields, name) for name in rest if fields.get(name) is not None]
    return pair(system, joined(prompt), as_text(fields, columns["completion"]))


def chat_of_pair(fields, columns, roles):
    refuse(fields, ["functions", "weight", "train", "system"])
    prompt, completion = fields[columns["prompt"][0]], fields[columns["completion"]]
    prompt = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    completion = completion if isinstance(completion, list) else [{"role": "assistant", "content": completion}]
    row = chat(prompt + completion, tools_of(fields), roles)
    for message in row["messages"][: len(prompt)]:
        message["learned"] = False
    return row


def json_row(fields, settings):
    roles = settings["roles"]
    if isinstance(fields, list):
        return chat(fields, None, roles)
    if not isinstance(fields, dict):
        raise RowError("no JSON object")
    if settings["columns"]:
        return pair_of(fields, settings["columns"], None)
    held = next((name for name in MESSAGES if fields.get(name) is not None), None)
    if held:
        refuse(fields, ["functions", "weight", "train"])
        row = chat(fields[held], tools_of(fields), roles)
        if fields.get("system") and row["messages"][0]["role"] != "system":
            system = {"role": "system", "content": as_text(fields, "system"), "learned": True, "more": {}}
            row["messages"].insert(0, system)
        return row
    columns = guessed(fields)
    if columns:
        if isinstance(fields[columns["prompt"][0]], list) or isinstance(fields[columns["completion"]], list):
            return chat_of_pair(fields, columns, roles)
        refuse(fields, ["tools", "tool_calls", "functions", "weight", "train", "history"])
        system = as_text(fields, "system") if fields.get("system") else None
        return pair_of(fields, columns, system)
    if fields.get("text") is not None:
        refuse(fields, ["weight", "train"])
        text = as_text(fields, "text")
        if not text.strip():
            raise RowError("an empty `text`")
        return {"text": text}
    raise RowError("no fields that are known")


def json_values(text):
    """Values with their lines; an error stands for one that is broken."""
    decoder = json.JSONDecoder(parse_int=AsWritten, parse_float=AsWritten)
    whole = text.strip()
    lines = filled_lines(text)

    def values_of(line):
        at, found = 0, []
        while at < len(line):
            if line[at].isspace():
                at += 1
                continue
            try:
                value, at = decoder.raw_decode(line, at)
            except ValueError as error:
                found.append(RowError(f"no JSON ({error})"))
                break
            found.append((value, at))
        return found

    def by_line():
        values = []
        for number, line in lines:
            values += [(number, value if isinstance(value, RowError) else value[0]) for value in values_of(line)]
        return values

    first_is_whole = bool(lines) and len(values_of(lines[0][1])) == 1 and not isinstance(values_of(lines[0][1])[0], RowError)
    if whole.startswith("["):
        try:
            elements = decoder.decode(whole)
        except ValueError as error:
            if first_is_whole:
                return by_line()
            raise SystemExit(f"The JSON list is broken: {error}.")
        # Lines of elements are not kept by Python's reader; their numbers stand for them.
        return list(enumerate(elements, 1))
    if first_is_whole:
        return by_line()
    values, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError as error:
            values.append((text.count("\n", 0, at) + 1, RowError(f"no JSON ({error})")))
            following = text.find("\n{", max(getattr(error, "pos", at), at + 1))
            if following < 0:
                break
            at = following + 1
            continue
        values.append((text.count("\n", 0, at) + 1, value))
        at = end
    if not values or isinstance(values[0][1], RowError):
        return by_line()
    return values


def json_rows(text, settings):
    values = json_values(text)
    if len(values) == 1 and isinstance(values[0][1], dict):
        try:
            json_row(values[0][1], settings)
        except RowError:
            held = [rows for rows in values[0][1].values() if isinstance(rows, list) and rows and isinstance(rows[0], dict)]
            if len(held) > 1:
                raise SystemExit("The object holds several lists; keep the one to train on.")
            if held:
                values = [(1, row["row"] if "row_idx" in row and "row" in row else row) for row in held[0]]
    for line, value in values:
        if isinstance(value, RowError):
            yield line, value
            continue
        try:
            yield line, json_row(value, settings)
        except RowError as error:
            yield line, error


def unclosed(text, separator):
    """The line in which a quoted field begins that no quote ends."""
    line, opened, begins, place = 1, None, True, 0
    while place < len(text):
        letter = text[place]
        place += 1
        line += letter == "\n"
        if opened is not None:
            if letter == '"':
                if text[place : place + 1] == '"':
                    place += 1
                else:
                    opened = None
            continue
        if letter == '"' and begins:
            opened = line
        begins = letter in (separator, "\n")
    return opened


def table_rows(text, settings):
    separator = separator_of(next((line for _, line in filled_lines(text)), ""))
    line = unclosed(text, separator)
    if line is not None:
        raise SystemExit(f"Line {line}: the quote is not closed.")
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header, last = None, 0
    columns, document = settings["columns"], None
    for fields in rows:
        line, last = last + 1, rows.line_num
        if not fields:
            continue
        if header is None:
            header = [name.strip() for name in fields]
            columns = columns or guessed(header)
            documents = [place for place, name in enumerate(header) if name.lower() == "text"]
            if columns is None and len(documents) != 1:
                raise SystemExit(f"The table has the columns {', '.join(header)}; say which are prompt and completion.")
            document = documents[0] if columns is None else None
            for name in [] if columns is None else columns["prompt"] + [columns["completion"]]:
                if header.count(name.strip()) != 1:
                    raise SystemExit(f"The table has {header.count(name.strip())} columns called {name}.")
            continue
        try:
            if len(fields) != len(header):
                raise RowError(f"{len(fields)} fields where the header has {len(header)}")
            if document is not None:
                if not fields[document].strip():
                    raise RowError("an empty `text`")
                yield line, {"text": fields[document]}
                continue
            at = [fields[header.index(name.strip())] for name in columns["prompt"]]
            yield line, pair(None, joined(at), fields[header.index(columns["completion"].strip())])
        except RowError as error:
            yield line, error


def pair_rows(text):
    for number, line in filled_lines(text):
        prompt, mark, completion = line.partition(MARK)
        try:
            if not mark:
                raise RowError(f"no {MARK}")
            yield number, pair(None, prompt, completion)
        except RowError as error:
            yield number, error


def documents_of(text, documents):
    if documents == "file":
        return [(1, {"text": text})]
    found, begun = [], None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            begun = None
        elif begun is None:
            begun = len(found)
            found.append([number, line + "\n"])
        else:
            found[begun][1] += line + "\n"
    if found and not text.endswith("\n") and text.rsplit("\n", 1)[-1].strip():
        found[-1][1] = found[-1][1][:-1]
    return [(number, {"text": document}) for number, document in found]


# Kinds of columns that Python, the page and the native program read in different ways.
OTHER_KINDS = ["INT96", "BSON", "INTERVAL", "UUID", "VARIANT", "GEOMETRY", "GEOGRAPHY", "FILE"]


def json_of_parquet(data):
    """The rows of a parquet file as JSON lines; bytes that are no text have no place there, and columns of kinds that are
    read in different ways are left out."""
    import pyarrow
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    names = file.schema_arrow.names
    left_out = {}
    for column in map(file.schema.column, range(len(file.schema))):
        kinds = [column.physical_type, column.converted_type, column.logical_type.type]
        [name] = [name for name in names if f"{column.path}.".startswith(f"{name}.")][-1:]
        left_out |= {name: kind for kind in kinds if kind in OTHER_KINDS}
    if left_out:
        print("left out of the file:", ", ".join(f"{name} ({kind})" for name, kind in left_out.items()))
    table = file.read([name for name in names if name not in left_out])
    table = table.cast(pyarrow.schema([field.with_type(as_stored(field.type)) for field in table.schema]))
    return "\n".join(map(json_of, table.to_pylist()))


def as_stored(kind):
    """Times of the day, lengths of time and nanoseconds as their numbers: nobody can write them down in a way that all readers understand."""
    import pyarrow

    inner = lambda field: field.with_type(as_stored(field.type))
    if pyarrow.types.is_time32(kind):
        return pyarrow.int32()
    is_nanoseconds = pyarrow.types.is_timestamp(kind) and kind.unit == "ns"
    if pyarrow.types.is_time64(kind) or pyarrow.types.is_duration(kind) or is_nanoseconds:
        return pyarrow.int64()
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([inner(kind.field(place)) for place in range(kind.num_fields)])
    if pyarrow.types.is_map(kind):
        return pyarrow.map_(kind.key_type, inner(kind.item_field))
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind):
        return pyarrow.list_(inner(kind.value_field))
    return kind


def json_of(value):
    """A value of a row as the page writes it."""
    if value is None or isinstance(value, bytes):
        return "null"
    if isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, (float, decimal.Decimal)):
        return json_of_number(float(value))
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_of(str(name))}:{json_of(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        # A map comes as pairs.
        if value and all(isinstance(inner, tuple) for inner in value):
            return json_of(dict(value))
        return "[" + ",".join(map(json_of, value)) + "]"
    if isinstance(value, datetime.datetime) and value.tzinfo:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    if isinstance(value, datetime.date):
        value = value.isoformat()
    return json.dumps(str(value), ensure_ascii=False)


def json_of_number(value):
    """The shortest figures that mean this number, with a point or an exponent, as the page writes them."""
    if not math.isfinite(value):
        return "null"
    shortest = decimal.Decimal(repr(value))
    power = shortest.adjusted() if value else 0
    if -5 <= power <= 15:
        words = format(shortest, "f")
        return words if "." in words else words + ".0"
    figures = format(shortest.scaleb(-power).normalize(), "f")
    return f"{figures}e{power:+}"


def read_rows(name, data, settings):
    """The rows of a file: each a line, and a pair, a conversation, a document, or the RowError for which it is left out."""
    if data.startswith(b"PAR1"):
        return list(json_rows(json_of_parquet(data), settings))
    text = decoded(data, settings["encoding"])
    kind = settings["format"] or format_of(name, text)
    if kind == "json_lines":
        return list(json_rows(text, settings))
    if kind == "table":
        return list(table_rows(text, settings))
    if kind == "pairs":
        return list(pair_rows(text))
    return documents_of(text, settings["documents"])
