# Rows of a file, as the page reads them. Only Python's own library, and pyarrow where the file is parquet.

SEPARATORS = "|;\t,"
MARK = "||"
MESSAGES = ["messages", "conversations", "conversation"]
COLUMNS = [
    (["prompt", "context"], "completion"),
    (["prompt", "context"], "response"),
    (["question", "context"], "answer"),
    (["question", "context"], "response"),
    (["query", "context"], "response"),
    (["instruction", "input"], "output"),
    (["instruction", "context"], "response"),
    (["input"], "output"),
    (["input"], "target"),
    (["inputs"], "targets"),
    (["source"], "target"),
]
# Fields beside a row that mean something: what is said first, what is used nowhere, and not in rows of one kind.
SYSTEM = ["system", "system_prompt"]
MEDIA = ["image", "images", "video", "videos", "audio", "audios"]
NOWHERE = ["functions", "weight", "train", "documents", "chat_template_kwargs", *MEDIA]
NOT_IN_PAIRS = [*NOWHERE, "tools", "tool_calls", "history", "messages"]
NOT_IN_CHATS = [*NOWHERE, "context", "history"]
NOT_IN_MESSAGES = ["loss", "loss_mask", "mask", "trainable", "training", *MEDIA]
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
    marks = [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
    mark, name = next((found for found in marks if data.startswith(found[0])), (b"", ENCODINGS[encoding or "utf8"]))
    try:
        text = data[len(mark) :].decode(name)
    except UnicodeDecodeError as error:
        raise SystemExit(f"It is no text in {name} ({error.reason}); choose its encoding in DATA_SETTINGS.") from error
    if "\0" in text:
        raise SystemExit("It has letters of number 0, as no text has; choose another encoding, or export it as text.")
    if not text.strip():
        raise SystemExit("It is empty.")
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


def told_separator(text):
    """The separator that a first line tells, as Excel writes it."""
    line = text.split("\n", 1)[0].strip().strip('"')
    return line[4] if len(line) == 5 and line.startswith("sep=") and line[4] in SEPARATORS else None


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
    if told_separator(text):
        return "table"
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


def meant(fields, name):
    """The last field of a name, whatever letters it is written in."""
    return next((fields[field] for field in reversed(fields) if field.strip().lower() == name), None)


def says_nothing(value):
    if isinstance(value, AsWritten):
        return value in ("1", "1.0")
    return value in (None, [], {}, "", True)


def refuse(fields, names):
    for name in names:
        if not says_nothing(meant(fields, name)):
            raise RowError(f"the field `{name}`, which is not used in such rows")


def system_of(fields):
    said = [as_text(fields, field) for field in fields if field.strip().lower() in SYSTEM and fields[field] is not None]
    said = [text for text in said if text]
    if any(text != said[0] for text in said):
        raise RowError("two different things that the system says")
    return said[0] if said else None


def as_message(message, roles):
    if not isinstance(message, dict):
        raise RowError("a message that is no object")
    more = {name: plain(value) for name, value in message.items() if value is not None}
    for name in NOT_IN_MESSAGES:
        if more.pop(name, None) not in (None, [], {}, "", 1, True):
            raise RowError(f"a message with the field `{name}`, which is not used")
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
    if isinstance(weight, bool) or weight not in (0, 1) or not isinstance(train, bool):
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
        try:
            tools = json.loads(tools) if tools.strip() else None
        except ValueError as error:
            raise RowError(f"`tools` that are no JSON ({error})") from error
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
    refuse(fields, NOWHERE + SYSTEM)
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
        refuse(fields, NOT_IN_CHATS)
        row = chat(fields[held], tools_of(fields), roles)
        system, first = system_of(fields), row["messages"][0]
        if system and first["role"] != "system":
            row["messages"].insert(0, {"role": "system", "content": system, "learned": True, "more": {}})
        elif system and first["content"] != system:
            raise RowError("two different things that the system says")
        return row
    columns = guessed(fields)
    if columns:
        if isinstance(fields[columns["prompt"][0]], list) or isinstance(fields[columns["completion"]], list):
            return chat_of_pair(fields, columns, roles)
        refuse(fields, NOT_IN_PAIRS)
        return pair_of(fields, columns, system_of(fields))
    if fields.get("text") is not None:
        refuse(fields, NOWHERE + SYSTEM)
        text = as_text(fields, "text")
        if not text.strip():
            raise RowError("an empty `text`")
        return {"text": text}
    raise RowError("no fields that are known")


class Lines:
    """The lines of rising places, counted once."""

    def __init__(self, text):
        self.text, self.line, self.counted = text, 1, 0

    def at(self, place):
        self.line += self.text.count("\n", self.counted, place)
        self.counted = max(self.counted, place)
        return self.line


def no_json(word):
    raise ValueError(f"{word} is no JSON")


def broken_list(text, decoder):
    """The elements of a list that cannot be read as a whole. After one that is broken, reading goes on at the next line that
    begins as the first element does."""
    values, at, lines = [], text.index("[") + 1, Lines(text)
    first = at
    while first < len(text) and text[first].isspace():
        first += 1
    line = text.rfind("\n", 0, first)
    begins = text[line : first + 1] if line >= 0 else None
    while True:
        while at < len(text) and text[at] in " \t\n\r,":
            at += 1
        if at == len(text):
            return values + [(lines.at(at), RowError("no end of the list"))]
        if text[at] == "]":
            more = text[at + 1 :].strip()
            return values + ([(lines.at(at), RowError("more behind the list"))] if more else [])
        line = lines.at(at)
        try:
            value, at = decoder.raw_decode(text, at)
            values.append((line, value))
        except (ValueError, RecursionError) as error:
            values.append((line, RowError(f"no JSON ({error})")))
            begun = max(text.rfind("\n", at, getattr(error, "pos", at)), at)
            following = text.find(begins, begun) if begins else -1
            if following < 0:
                return values
            at = following + 1


def json_values(text):
    """Values with their lines; an error stands for one that is broken."""
    decoder = json.JSONDecoder(parse_int=AsWritten, parse_float=AsWritten, parse_constant=no_json)
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
            except (ValueError, RecursionError) as error:
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
        except (ValueError, RecursionError) as error:
            if first_is_whole:
                return by_line()
            values = broken_list(text, decoder)
            if all(isinstance(value, RowError) for _, value in values):
                raise SystemExit(f"The JSON list is broken: {error}.") from error
            return values
        # Lines of elements are not kept by Python's reader; their numbers stand for them.
        return list(enumerate(elements, 1))
    if first_is_whole:
        return by_line()
    values, at, places = [], 0, Lines(text)
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            values.append((places.at(at), RowError(f"no JSON ({error})")))
            following = text.find("\n{", max(getattr(error, "pos", at), at + 1))
            if following < 0:
                break
            at = following + 1
            continue
        values.append((places.at(at), value))
        at = end
    if not values or isinstance(values[0][1], RowError):
        return by_line()
    return values


def is_list_of_objects(value):
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def unwrapped(row):
    """The row itself, where a data set's server wraps it in an object with its number."""
    return row["row"] if isinstance(row, dict) and "row_idx" in row and "row" in row else row


def is_row(value, settings):
    try:
        json_row(value, settings)
    except RowError:
        return False
    return True


def check_letters(value):
    """Python reads half of a letter, an escape that stands without its other half, which is no text."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RowError("no JSON (half of a letter)") from error


def json_rows(text, settings):
    values = json_values(text)
    if len(values) == 1 and isinstance(values[0][1], dict):
        try:
            json_row(values[0][1], settings)
        except RowError:
            held = [rows for name, rows in values[0][1].items() if name not in MESSAGES and is_list_of_objects(rows)]
            held = [[unwrapped(row) for row in rows] for rows in held]
            held = [rows for rows in held if is_row(rows[0], settings)] or held
            if len(held) > 1:
                raise SystemExit("The object holds several lists; keep the one to train on.")
            if held:
                values = [(1, row) for row in held[0]]
    for line, value in values:
        if isinstance(value, RowError):
            yield line, value
            continue
        try:
            check_letters(value)
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
    separator = told_separator(text)
    if separator:
        # The line stays, so that lines keep their numbers.
        text = text[len(text.split("\n", 1)[0]) :]
    separator = separator or separator_of(next((line for _, line in filled_lines(text)), ""))
    line = unclosed(text, separator)
    if line is not None:
        raise SystemExit(f"Line {line}: the quote is not closed.")
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header, last = None, 0
    columns, document, guess = settings["columns"], None, not settings["columns"]
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
            drawn = [field.strip().strip(":") for field in fields]
            if separator == "|" and not "".join(drawn).strip("-") and "-" in "".join(drawn):
                raise RowError("the line below the header of a Markdown table")
            if document is not None:
                if not fields[document].strip():
                    raise RowError("an empty `text`")
                yield line, {"text": fields[document]}
                continue
            at = [fields[header.index(name.strip())] for name in columns["prompt"]]
            cells = [*zip(header, fields)] if guess else []
            for name, cell in cells:
                nothing = cell.strip() in ("", "null", "[]", "{}", "1", "1.0", "true", "True")
                if name.lower() in NOT_IN_PAIRS and not nothing:
                    raise RowError(f"the field `{name}`, which is not used in such rows")
            said = [cell for name, cell in cells if name.lower() in SYSTEM and cell]
            if any(cell != said[0] for cell in said):
                raise RowError("two different things that the system says")
            system = said[0] if said else None
            yield line, pair(system, joined(at), fields[header.index(columns["completion"].strip())])
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


def first_rows(rows, settings):
    """The rows up to the last one that may be used."""
    left = settings.get("maximum_examples")
    for line, row in rows:
        if left == 0:
            return
        if left is not None and not isinstance(row, RowError):
            left -= 1
        yield line, row


def read_rows(name, data, settings):
    """The rows of a file: each a line, and a pair, a conversation, a document, or the RowError for which it is left out."""
    if data.startswith(b"PAR1"):
        kind, text = "json_lines", json_of_parquet(data)
    else:
        text = decoded(data, settings["encoding"])
        kind = settings["format"] or format_of(name, text)
    if kind == "text":
        return documents_of(text, settings["documents"])
    if kind == "pairs":
        rows = pair_rows(text)
    else:
        rows = table_rows(text, settings) if kind == "table" else json_rows(text, settings)
    return list(first_rows(rows, settings))
