//! Damage to JSON.

use serde_json::{Map, Value, json};

use super::{Random, bytes::wound, numbers::number, texts::odd_text};

/// `inside`, in so many lists and objects.
pub fn nested(depth: usize, inside: Value) -> Value {
    (0..depth).fold(inside, |value, level| match level % 2 {
        0 => json!([value]),
        _ => json!({ "a": value }),
    })
}

/// A value that is seldom expected.
pub fn odd_value(random: &mut Random) -> Value {
    match random.below(22) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3..7 => json!(number(random)),
        7 => json!(-1),
        8 => json!(i64::MIN),
        9 => json!(0.5),
        10 => json!(1e308),
        11 => json!(-1e-308),
        12 => json!(5e-324),
        13 => json!(-0.0),
        14 => json!([]),
        15 => json!({}),
        16 => nested(random.below(60), json!(1)),
        17 => json!([odd_text(random), number(random)]),
        18 => {
            let entry = (odd_text(random), json!(number(random)));
            Value::Object(Map::from_iter([entry]))
        }
        _ => json!(odd_text(random)),
    }
}

/// Changes one value somewhere in `value`; `ideas` are taken for it as often as what fits nowhere.
pub fn damage(random: &mut Random, value: &mut Value, ideas: &[Value]) {
    let goes_deeper = !random.once_in(5);
    match value {
        Value::Object(map) if goes_deeper && !map.is_empty() => damage_object(random, map, ideas),
        Value::Array(list) if goes_deeper && !list.is_empty() => damage_list(random, list, ideas),
        Value::Number(old) if random.once_in(2) => {
            let old = old.as_f64().unwrap_or_default();
            *value = match random.below(6) {
                0 => json!(old + 1.0),
                1 => json!((old as i64).saturating_add(1)),
                2 => json!((old as i64).saturating_sub(1)),
                3 => json!((old * 2.0) as i64),
                4 => json!((old as i64).saturating_neg()),
                _ => json!((old / 2.0) as i64),
            };
        }
        Value::String(old) if random.once_in(3) => {
            *value = json!(match random.below(4) {
                0 => old.to_uppercase(),
                1 => old.repeat(2),
                2 => old.chars().rev().collect(),
                _ => format!("{old}{}", odd_text(random)),
            });
        }
        _ if !ideas.is_empty() && random.once_in(2) => *value = random.pick(ideas).clone(),
        _ => *value = odd_value(random),
    }
}

fn damage_object(random: &mut Random, map: &mut Map<String, Value>, ideas: &[Value]) {
    let key = any_key(random, map);
    match random.below(12) {
        0 => {
            map.remove(&key);
        }
        1 => {
            let other = any_key(random, map);
            let copy = map[&other].clone();
            map.insert(key, copy);
        }
        2 => {
            let old = map.remove(&key).unwrap_or_default();
            map.insert(odd_text(random), old);
        }
        3 => {
            map.insert(odd_text(random), odd_value(random));
        }
        _ => damage(random, &mut map[&key], ideas),
    }
}

fn damage_list(random: &mut Random, list: &mut Vec<Value>, ideas: &[Value]) {
    let place = random.below(list.len());
    match random.below(10) {
        0 => {
            list.remove(place);
        }
        1 => list.push(list[place].clone()),
        2 => list.truncate(place),
        3 => list.insert(place, odd_value(random)),
        _ => damage(random, &mut list[place], ideas),
    }
}

/// Some key of an object that has one.
pub fn any_key(random: &mut Random, map: &Map<String, Value>) -> String {
    let place = random.below(map.len());
    map.keys().nth(place).cloned().unwrap_or_default()
}

/// Sets a field, where `value` is an object.
pub fn set(value: &mut Value, key: &str, new: Value) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), new);
    }
}

/// `value` as text, sometimes with damage to the text too.
pub fn text_of(random: &mut Random, value: &Value) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    match random.below(24) {
        0 => text.truncate(random.below(text.len())),
        1 => {
            let reach = text.len();
            wound(random, &mut text, reach);
        }
        2 if text.first() == Some(&b'{') => {
            let key = odd_text(random).replace(['"', '\\'], "");
            let twice = format!("{{\"{key}\":{},\"{key}\":", odd_value(random));
            let more = format!("{twice}{},", odd_value(random));
            text.splice(0..1, more.into_bytes());
        }
        3 => drop(text.splice(0..0, [0xEF, 0xBB, 0xBF])),
        _ => {}
    }
    text
}
