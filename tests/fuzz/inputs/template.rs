//! Chat templates: loops, recursion, growth, nonsense.

use riemann_lora::load::{ChatMessage, Tokenizer, TokenizerExtras};

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    file,
    texts::odd_text,
    using::{conversation, words},
};

/// A template, rendered for a conversation.
pub struct Template;

const NAME: &str = "chat_template.jinja";
/// A tokenizer that is read at once.
const SMALL: &[u8] = br#"{"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}"#;

const EXPRESSIONS: &[&str] = &[
    "messages",
    "messages[0]",
    "messages[0].role",
    "m.content",
    "ns.x",
    "bos_token",
    "eos_token",
    "loop.index0",
    "loop.previtem",
    "add_generation_prompt",
    "1",
    "0",
    "-1",
    "1.5",
    "'a'",
    "'日本é'",
    "[]",
    "[1, 'a', none]",
    "{}",
    "{'a': 1}",
    "none",
    "true",
    "x",
    "undefined_name",
    "tools",
    "documents",
    "9223372036854775807",
    "-9223372036854775808",
    "170141183460469231731687303715884105727",
    "1e308",
    "range(5)",
    "range(100000)",
    "namespace(x=1)",
    "messages|length",
    "'%s'",
    "'{:1000000}'",
    "cycler('a', 'b')",
    "joiner(',')",
    "dict(a=1)",
    "lipsum()",
    "strftime_now('%Y')",
    "'a' * 100000",
    "[1] * 100000",
    "messages * 10000",
    "f(1)",
    "ns",
    "loop",
    "caller()",
    "raise_exception('no')",
];

const FILTERS: &[&str] = &[
    "trim",
    "upper",
    "length",
    "string",
    "list",
    "join(',')",
    "first",
    "last",
    "tojson",
    "tojson(indent=2)",
    "default('x')",
    "replace('a', 'b')",
    "replace('', 'x')",
    "reverse",
    "sort",
    "unique",
    "int",
    "float",
    "abs",
    "round(2)",
    "round(1000000000)",
    "items",
    "dictsort",
    "map('upper')",
    "map(attribute='role')",
    "select('defined')",
    "selectattr('role', 'equalto', 'user')",
    "rejectattr('role')",
    "groupby('role')",
    "batch(2)",
    "batch(1000000000, 0)",
    "batch(0)",
    "slice(2)",
    "slice(1000000000)",
    "indent(2)",
    "indent(1000000000)",
    "title",
    "capitalize",
    "escape",
    "safe",
    "urlencode",
    "pprint",
    "bool",
    "min",
    "max",
    "sum",
    "split(' ')",
    "split('')",
    "lines",
    "chain([1])",
    "zip([1,2])",
    "attr('role')",
    "format(1)",
    "center(9)",
    "center(1000000000)",
    "wordcount",
    "wordwrap(0)",
    "truncate(2, true, '')",
];

const METHODS: &[&str] = &[
    ".strip()",
    ".split('a')",
    ".split('')",
    ".split(none, 1)",
    ".upper()",
    ".startswith('a')",
    ".endswith(('a', 'b'))",
    ".replace('a', 'b', 1)",
    ".replace('a', 'aa')",
    ".items()",
    ".get('role', 1)",
    ".keys()",
    ".lstrip('a')",
    ".rstrip()",
    ".find('a')",
    ".rfind('a')",
    ".count('a')",
    ".count('')",
    ".splitlines()",
    ".title()",
    ".join(['a'])",
    ".format(1, a=2)",
    ".isdigit()",
    ".append(1)",
    ".pop()",
    ".copy()",
    ".removeprefix('a')",
    "[0]",
    "[-1]",
    "[1:]",
    "[::-1]",
    "[::0]",
    "['role']",
    ".role",
    "[99]",
    "[:-1]",
    "[::2]",
    "[::-9223372036854775808]",
    "[-100:100:2]",
];

const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "~",
    "==",
    "!=",
    "<",
    ">=",
    "and",
    "or",
    "in",
    "not in",
    "is defined and",
    "is string and",
    "is mapping or",
    "is iterable and",
];

/// Growth that a bound must stop, around an expression.
const LOOPS: &[&str] = &[
    "{% for i in range(100000) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}",
    "{% for i in range(60) %}{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}",
    "{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}",
    "{% for i in range(100000) %}{% set ns.x = ns.x|map('string') %}{% endfor %}",
    "{% for i in range(100000) %}{% set ns.x = ns.x|reverse %}{% endfor %}",
    "{% for i in range(1000) %}{% for j in range(100000) %}{{ ns.x }}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(9) }}",
    "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{% include 'chat_template' %}",
    "{% extends 'chat_template' %}",
    "{% set ns.x = ns %}",
];

impl Target for Template {
    fn draw(&self, random: &mut Random) -> Files {
        let mut text = statements(random, 2);
        if random.once_in(4) {
            let place = random.below(text.len() + 1);
            if text.is_char_boundary(place) {
                text.insert_str(place, &odd_text(random));
            }
        }
        if random.once_in(40) {
            text = deep(random);
        }
        let mut bytes = text.into_bytes();
        if random.once_in(6) {
            let reach = bytes.len();
            wound(random, &mut bytes, reach);
        }
        vec![(NAME.into(), bytes)]
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let extras = TokenizerExtras {
            chat_template: Some(file(files, NAME)),
            ..TokenizerExtras::default()
        };
        let tokenizer = Tokenizer::from_json(SMALL, &extras).map_err(words)?;
        let _ = tokenizer.render_chat(&[], None, false);
        let _ = tokenizer.render_chat(&[ChatMessage::new("assistant", "")], None, false);
        tokenizer
            .render_chat(&conversation(), None, true)
            .map_err(words)?;
        Ok(())
    }
}

fn expression(random: &mut Random, depth: usize) -> String {
    let choice = if depth == 0 { 7 } else { random.below(8) };
    let mut part = || expression(random, depth.saturating_sub(1));
    match choice {
        0 | 1 => {
            let inner = part();
            format!("{inner}|{}", random.pick(FILTERS))
        }
        2 | 3 => {
            let inner = part();
            format!("({inner}){}", random.pick(METHODS))
        }
        4 | 5 => {
            let (left, right) = (part(), part());
            format!("({left} {} {right})", random.pick(OPERATORS))
        }
        6 => format!("({} if {} else {})", part(), part(), part()),
        _ => (*random.pick(EXPRESSIONS)).to_owned(),
    }
}

fn statements(random: &mut Random, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(3) {
        let value = expression(random, 3);
        let inner = match depth {
            0 => "y".into(),
            _ => statements(random, depth - 1),
        };
        text += &match random.below(12) {
            0..3 => format!("{{{{ {value} }}}}"),
            3 => format!("{{% for m in {value} %}}{inner}{{% else %}}n{{% endfor %}}"),
            4 => format!("{{% for m in messages %}}{inner}{{% endfor %}}"),
            5 => format!("{{%- if {value} -%}}{inner}{{%- endif %}}"),
            6 => format!(
                "{{% set ns = namespace(x={value}) %}}{{% set ns.x = {} %}}",
                expression(random, 2)
            ),
            7 => format!(
                "{{% macro f(x, y={value}) %}}{inner}{{% endmacro %}}{{{{ f({}) }}}}",
                expression(random, 1)
            ),
            8 => format!("{{% set x = {value} %}}"),
            9 => format!(
                "{{% filter {} %}}{inner}{{% endfilter %}}",
                random.pick(FILTERS)
            ),
            10 if random.once_in(8) => {
                let grows = random.pick(LOOPS);
                format!(
                    "{{% set ns = namespace(x={value}) %}}{grows}{{{{ {} }}}}",
                    expression(random, 2)
                )
            }
            _ => format!("{{% generation %}}{inner}{{% endgeneration %}}"),
        };
    }
    text
}

/// One thing in itself, or after itself, so often that a parser's or an interpreter's stack would end.
fn deep(random: &mut Random) -> String {
    let times = *random.pick(&[100, 200, 5_000, 100_000]);
    let (before, part, after) = *random.pick(&[
        ("{{ ", "(", " }}"),
        ("{{ ", "[", " }}"),
        ("{{ ", "not ", "1 }}"),
        ("{{ ", "-", "1 }}"),
        ("", "{% if true %}", ""),
        ("{{ 1", " + 1", " }}"),
        ("{{ 1", " ~ 1", " }}"),
        ("{{ 1", " and 1", " }}"),
        ("{{ 1", "|string", " }}"),
        ("{{ a", ".b", " }}"),
        ("{{ a", "()", " }}"),
        ("{{ a", "[0]", " }}"),
        ("{{ ", "1 if false else ", "2 }}"),
        ("{{ 1", " == 1", " }}"),
        ("{{ 1", " ** 1", " }}"),
        ("{% if false %}", "{% elif false %}", "{% endif %}"),
        ("", "{%", ""),
        ("", "{% %}", ""),
        ("", "{{ 1 }}", ""),
    ]);
    format!("{before}{}{after}", part.repeat(times))
}
