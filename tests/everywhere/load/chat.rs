//! Conversations in a model's own format.

use riemann_lora::load::{ChatMessage, LoadError, Tokenizer, TokenizerExtras};
use wasm_bindgen_test::wasm_bindgen_test;

use super::GOLDEN_TOKENIZER;

fn with_template(template: Option<&str>) -> Tokenizer {
    let extras = TokenizerExtras {
        chat_template: template.map(str::as_bytes),
        model_config: Some(br#"{ "eos_token_id": 0 }"#),
        ..TokenizerExtras::default()
    };
    Tokenizer::from_json(GOLDEN_TOKENIZER, &extras).expect("the fixture is sound")
}

fn render(template: &str, add_generation_prompt: bool) -> Result<String, LoadError> {
    let messages = [
        ChatMessage::new("system", "Be brief. "),
        ChatMessage::new("user", "Why <|endoftext|> & \"how\"?"),
    ];
    with_template(Some(template)).render_chat(&messages, None, add_generation_prompt)
}

#[wasm_bindgen_test(unsupported = test)]
fn templates_render_as_in_transformers() {
    // Template, text without and with the beginning of an answer.
    let cases = [
        (
            "{% for message in messages %}{{ '<' + message['role'] + '>' + message['content'] + eos_token }}\
             {% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}",
            "<system>Be brief. <|endoftext|><user>Why <|endoftext|> & \"how\"?<|endoftext|>",
            "<assistant>",
        ),
        // A newline after a tag and spaces before one belong to the template's own layout.
        (
            "{% for message in messages %}\n    {% if message.role == 'user' %}\n{{ message.content }}\n\
             \x20   {%- endif %}\n{% endfor %}\n{%- if add_generation_prompt %}\n>\n{%- endif %}\n",
            "Why <|endoftext|> & \"how\"?",
            ">",
        ),
        // Python's methods, namespaces, leaving a loop, filters.
        (
            "{%- set ns = namespace(count=0) -%}{%- for message in messages -%}{%- set ns.count = ns.count + 1 -%}\
             {{ message.content.strip().upper() if message.content.startswith('Be') }}{%- break -%}{%- endfor -%}\
             {{ ns.count }}{{ messages[1:] | length }}{{ messages[0].content | trim }}{{ messages[1]['role'] | tojson }}",
            "BE BRIEF.11Be brief.\"user\"",
            "",
        ),
        // What is not defined is empty, tools are null, and it is always the same day.
        (
            "[{{ bos_token }}]{% if tools is none and not documents %}none{% endif %}\
             {% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% endif %}{% if pad_token is defined %}pad{% endif %}",
            "[]none26 Jul 2024",
            "",
        ),
        // Lists are joined, and joined again; empty ones too.
        (
            "{{ [1] + [2, 3] }}{{ (messages + []) is sequence }}{% set ns = namespace(x=[]) %}{% for i in range(60) %}\
             {% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
            "[1, 2, 3]True[]",
            "",
        ),
        // A step may be longer than 32 bits hold.
        (
            "{{ 'abc'[::-4294967296] }}{{ 'abc'[::4294967296] }}",
            "ca",
            "",
        ),
        // What Python goes through, and what it takes an element of.
        (
            "{% for it in [none, 'a', [1], {'a': 1}, 1, nothing] %}{{ it is iterable }} {{ it is sequence }},{% endfor %}",
            "False False,True True,True True,True True,False False,True True,",
            "",
        ),
        // The tag that marks the assistant's words.
        (
            "{% for message in messages %}{% generation %}\n{{ message.role }}{%- endgeneration -%}  {% endfor %}",
            "systemuser",
            "",
        ),
    ];
    for (template, expected, prompt) in cases {
        assert_eq!(
            render(template, false),
            Ok(expected.to_owned()),
            "{template}"
        );
        assert_eq!(
            render(template, true),
            Ok(format!("{expected}{prompt}")),
            "{template}"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn special_tokens_of_a_rendered_chat_are_encoded() {
    let tokenizer = with_template(Some("{{ messages[0].content }}{{ eos_token }}"));
    let text = tokenizer.render_chat(&[ChatMessage::new("user", "hi")], None, false);
    let ids = tokenizer
        .encode(&text.expect("the template is sound"))
        .expect("it can be encoded");
    assert_eq!(ids.last(), Some(&0));
    assert_eq!(tokenizer.decode(&ids, true), "hi");
}

#[wasm_bindgen_test(unsupported = test)]
fn templates_that_fail_say_why() {
    let cases = [
        (
            "{{ raise_exception('no system message please') }}",
            "no system message please",
        ),
        ("{% for %}", "tokenizer.json: chat template: syntax error"),
        ("{{ messages[0].role.nothing() }}", "chat template: "),
        ("{% unfinished", "chat template: "),
        (
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "chat template: ",
        ),
    ];
    for (template, expected) in cases {
        let error = render(template, false).expect_err("the template is wrong");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = with_template(None)
        .render_chat(&[], None, false)
        .expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "tokenizer.json: the model has no chat template"
    );
}

/// Renders the conversations that tests/templates/reference.py wrote, for it to compare.
#[cfg(not(target_arch = "wasm32"))]
#[test]
#[ignore = "scripts/check-templates runs it"]
fn texts_of_other_templates() {
    use serde_json::{Value, json};
    let file = |name| std::env::var_os(name).expect("the script sets it");
    let cases = std::fs::read(file("TEMPLATE_CASES")).expect("the script wrote it");
    let cases: Vec<Value> = serde_json::from_slice(&cases).expect("it is JSON");
    let token = |text: &str| json!({ "content": text, "special": true });
    let texts = cases.into_iter().map(|case| {
        let config = json!({
            "added_tokens_decoder": { "320": token("<BOS>"), "321": token("<EOS>") },
            "bos_token": "<BOS>",
            "eos_token": "<EOS>",
            "chat_template": case["template"],
        });
        let config = config.to_string();
        let extras = TokenizerExtras {
            tokenizer_config: Some(config.as_bytes()),
            ..TokenizerExtras::default()
        };
        let tokenizer = Tokenizer::from_json(GOLDEN_TOKENIZER, &extras).expect("it is sound");
        let message = |message: &Value| {
            let mut more = message.as_object().expect("it is an object").clone();
            let mut text = |name| match more.shift_remove(name) {
                Some(Value::String(text)) => text,
                other => panic!("{name} is {other:?}"),
            };
            let (role, content) = (text("role"), text("content"));
            ChatMessage {
                more,
                ..ChatMessage::new(role, content)
            }
        };
        let messages = case["messages"].as_array().expect("it is a list").iter();
        let messages: Vec<ChatMessage> = messages.map(message).collect();
        let tools = Some(&case["tools"]).filter(|tools| !tools.is_null());
        let opening = case["add_generation_prompt"] == true;
        match tokenizer.render_chat(&messages, tools, opening) {
            Ok(text) => json!({ "text": text }),
            Err(error) => json!({ "error": error.to_string() }),
        }
    });
    let texts = Value::from_iter(texts);
    std::fs::write(file("TEMPLATE_TEXTS"), texts.to_string()).expect("it can be written");
}

/// Programs that never end, or that fill the memory, in the few forms that were found by trying.
#[wasm_bindgen_test(unsupported = test)]
fn templates_that_do_not_end_or_that_grow_without_bound_are_refused() {
    let endless = [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% set c = a + b %}{% endfor %}{% endfor %}",
        "{% macro twice() %}{{ twice() }}{{ twice() }}{% endmacro %}{{ twice() }}",
        "{% for a in range(99999) %}{{ 'some words that are written again and again and again' * 99 }}{% endfor %}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ messages|batch(1000000000, 0) }}",
        "{{ messages|slice(1000000000) }}",
        "{{ 'a'|indent(1000000000, true) }}",
        "{{ 'a'|indent(width=1000000000) }}",
        "{{ 'a'|center(1000000000) }}",
        "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(28) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x|length }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(24) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|list|length }}",
        "{% set ns = namespace(x='a') %}{% for i in range(30) %}{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %}{{ ns.x|length }}",
        "{{ ([1] * 1000000000)|join(',') }}",
        "{% for i in range(100) %}{% set x = 'a' * 100000000 %}{% endfor %}",
        "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}{% endfor %}{{ ns.x in [ns.y] }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% set ns.y = {'a': ns.y, 'b': ns.y} %}{% endfor %}{{ ns.x != ns.y }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = dict(a=ns.x, b=ns.x) %}{% set ns.y = dict(a=ns.y, b=ns.y) %}{% endfor %}{{ [ns.x, ns.y]|unique|list|length }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set ns.x = ns.x|zip(ns.x)|list %}{% set ns.y = ns.y|zip(ns.y)|list %}{% endfor %}{{ [ns.x, ns.y]|sort|length }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(30000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns|tojson }}",
        "{% set ns = namespace() %}{% set ns.x = [1, {'a': ns}] %}{{ ns }}",
        "{% set a = namespace() %}{% set b = namespace(x=a) %}{% set a.x = b %}{{ a ~ b }}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{% set x = range(90000)|list %}{% set y = range(90000)|list %}{% for i in range(9999) %}{% if [x] == [y] %}{% endif %}{% endfor %}",
    ];
    // Levels of a function that calls itself.
    let deep = [
        ("{{ 1", " + 1", " }}"),
        ("{{ 1", " ~ 1", " }}"),
        ("{{ 1", "|string", " }}"),
        ("{{ a", ".b", " }}"),
        ("{{ a", "()", " }}"),
        ("{{ ", "not ", "1 }}"),
        ("{{ ", "-", "1 }}"),
        ("{{ ", "(", "1 }}"),
        ("{{ ", "[", "1 }}"),
        ("{{ ", "1 if 0 else ", "2 }}"),
        ("{% if 0 %}", "{% elif 0 %}", "{% endif %}"),
        ("", "{% if 1 %}", ""),
    ];
    let deep = deep.map(|(before, part, after)| format!("{before}{}{after}", part.repeat(50_000)));
    for template in endless.into_iter().chain(deep.iter().map(String::as_str)) {
        let error = render(template, false).expect_err(template).to_string();
        assert!(error.contains("chat template: "), "{error}");
    }
    // What is like them and is none of them is computed as in Python.
    let sound = [
        (
            "{% set ns = namespace(x=[]) %}{% for i in range(300) %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x|length }}",
            "300",
        ),
        (
            "{% macro f(n) %}{% if n > 1 and [n] == [n] %}{{ [n] + [1] }}{{ f(n - 1) }}{% else %}.{% endif %}{% endmacro %}{{ f(3) }}",
            "[3, 1][2, 1].",
        ),
        (
            "{% for m in [3, 1] + [2] if m in [1, 2] or m == 9 %}{{ loop.index }}{{ m }}{% if [m] < [2] %}a{% elif 1 < m <= 2 %}b{% endif %}{% else %}none{% endfor %}",
            "11a22b",
        ),
        // Nothing backwards is nothing; what is there ends before the last place, as in Python.
        ("[{{ ''[::-1] }}]", "[]"),
        (
            "{{ messages[2:][::-1]|length }}{{ messages[::-1][0].role }}",
            "0user",
        ),
        ("{{ 'abcdef'[4:1:-2] }}{{ 'abc'[::-1] }}", "eccba"),
        ("{% for m in messages[5:][::-1] %}x{% endfor %}.", "."),
        ("{{ 'abc'.count('') }}{{ 'abcabc'.count('bc') }}", "42"),
        ("{{ '{:5}|'.format(1) }}{{ '%3d'|format(7) }}", "    1|  7"),
        (
            "{% for part in [1, 2, 3]|batch(2, 0) %}{{ part }}{% endfor %}",
            "[1, 2][3, 0]",
        ),
        (
            "{{ 'a\nb'|indent(2) }}{{ 'c'|indent(width=1, first=true) }}",
            "a\n  b c",
        ),
    ];
    for (template, expected) in sound {
        assert_eq!(
            render(template, false).expect(template),
            expected,
            "{template}"
        );
    }
}
