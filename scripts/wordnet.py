"""Reads WordNet 3.0 out of Debian's package wordnet-base, for the scripts that make texts of it."""

import contextlib
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

# SHA-256 of data.noun, data.verb and data.adj together, in wordnet-base 1:3.0-37.
EXPECTED = "eb7c3ba4539adfb460d783f3058b10de601af75abca73cd5e7b2f79132982fb1"

# Words that a definition on a page for everyone does without, as beginnings of words, or with a
# full stop as whole words.
UNWANTED = """
abort abus anal. anus assault barbari bastard bigot blood bodily-fluid bomb. bombe bombi bondage breast brothel
buttock cannibal carnal castrat cocain coition concubin condom copulat corps crap. crime crimina cripple cruel cunt
damn dead death decapitat defecat demon. demoni derog devil die. died dies disease disparag drug drunk dying erect
erotic ethnic excre execution explosi faggot fascis fat. fecal feces fetish fetus foetus fondl fornicat fuck gay.
genit grope gun. gunf gunm gunp guns gypsy hang. hanged hanging harlot heroin homosex human-sacrifice idiot imbecil
incest infidel injur intercourse intoxic jew. jewish jihad kill knife lame. lesbian lewd lust. lustf masturbat menstr
mistress moron murder mutilat naked narcot nazi negro nigger nipple nude nudi obscen offensive opium orgasm ovar pain.
painf pedophil penis pervert pimp piss poison porn pregnan prostitut pubic punish queer race. racial racis rap. rape.
raped raping rapist religi retard savage scrot semen sex shit slaughter slave slur sodom sperm stab. stabb strangl
stupid suicid suppurat terroris testic tortur tumor urin uter vagin venereal victim violen virgin vomit vulgar vulva
war. warfare warrior wars warship weapon welsh whip. whore wound
""".split()
UNWANTED_PATTERN = re.compile(r"\b(?:" + "|".join(word.replace(".", r"s?\b") for word in UNWANTED) + ")", re.IGNORECASE)


@contextlib.contextmanager
def unpacked():
    """A folder with Debian's package wordnet-base, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(["apt-get", "download", "wordnet-base"], cwd=folder, check=True)
        (package,) = folder.glob("wordnet-base_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder / "package"], check=True)
        yield folder / "package"


def data_folder(package):
    """Where WordNet's files lie in the unpacked package; says so where they are not those of wordnet-base 1:3.0-37."""
    folder = package / "usr" / "share" / "wordnet"
    digest = hashlib.sha256()
    for name in ("noun", "verb", "adj"):
        digest.update((folder / f"data.{name}").read_bytes())
    if digest.hexdigest() != EXPECTED:
        print(f"note: another WordNet than the committed files were made of ({digest.hexdigest()})", file=sys.stderr)
    return folder


class Synset:
    """A meaning: its words, its gloss and where it points."""

    def __init__(self, line):
        fields, gloss = line.split(" | ", 1)
        fields = fields.split()
        self.file_number = fields[1]
        count = int(fields[3], 16)
        # Adjectives carry their position in brackets, as in ashamed(p).
        self.words = [re.sub(r"\(.*\)$", "", word) for word in fields[4 : 4 + 2 * count : 2]]
        self.sense_keys = [
            (word.lower(), int(number, 16)) for word, number in zip(self.words, fields[5 : 5 + 2 * count : 2])
        ]
        pointers = fields[5 + 2 * count : 5 + 2 * count + 4 * int(fields[4 + 2 * count])]
        self.pointers = list(zip(pointers[::4], pointers[1::4], pointers[2::4], pointers[3::4]))
        self.gloss = gloss.strip()


def synsets(folder, name):
    """All meanings of one part of speech by their offset."""
    with open(folder / f"data.{name}", encoding="utf-8") as file:
        return {line[:8]: Synset(line) for line in file if not line.startswith(" ")}


def first_senses(folder, name):
    """The offset of the most frequent meaning of every word."""
    senses = {}
    with open(folder / f"index.{name}", encoding="utf-8") as file:
        for line in file:
            if not line.startswith(" "):
                fields = line.split()
                senses[fields[0]] = fields[-int(fields[2])]
    return senses


def spelled(word):
    return word.replace("_", " ")


def plain(word):
    """Whether a word is an ordinary one: lower case letters, at most two parts."""
    return re.fullmatch(r"[a-z]{3,}(?:[_-][a-z]{3,})?", word) and not UNWANTED_PATTERN.search(spelled(word))


def article(text):
    """The indefinite article before `text`."""
    if re.match(r"(?:hour|honest|honou?r|heir)", text):
        return "an"
    if re.match(r"(?:one|once|eu|ewe|u[bfhklnrst][aeiou]|uni[^mn])", text) and not re.match(r"un[aeio]m|uni[mn]", text):
        return "a"
    return "an" if text[0] in "aeiou" else "a"


def licence(copyright_file):
    """WordNet's licence out of Debian's copyright file."""
    lines = copyright_file.read_text(encoding="utf-8").split("\n")
    begin = lines.index("License: WordNet3.0") + 1
    end = lines.index("", begin)
    return "".join("\n" if line == " ." else line.removeprefix(" ") + "\n" for line in lines[begin:end])
