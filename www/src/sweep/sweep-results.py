# Results as the page keeps them, so that its Sweep and Runs tabs open the file. Only Python's own library.

FORMAT = "riemann-lora sweep"


def swept_run(trial, outcome):
    """One run of the sweep, as the robustness chart has it."""
    validation = [{"step": int(step), "loss": loss} for step, loss in outcome["validation"].items()]
    return {
        **{name: trial[name] for name in ("method", "value", "lr", "repeat")},
        "validationLoss": None if outcome["diverged_at"] else validation[-1]["loss"],
        "divergedAt": outcome["diverged_at"],
        "curve": {"steps": list(range(1, len(outcome["losses"]) + 1)), "values": outcome["losses"]},
        "validation": validation,
    }


def run_record(trial, swept, when):
    """The same as a row of the table of runs."""
    losses = swept["curve"]["values"]
    return {
        **CONTEXT,
        "session": {**CONTEXT["session"], "rank": trial["rank"], "seed": trial["seed"]},
        "id": f"{when:014d}-{TRIALS.index(trial):06d}-script",
        "name": trial["name"],
        "hidden": False,
        "when": when,
        "optimizer": trial["settings"],
        "stepsDone": swept["divergedAt"] or len(losses),
        "firstLoss": losses[0] if losses else None,
        "lastLoss": losses[-1] if losses else None,
        **{name: swept[name] for name in ("validationLoss", "divergedAt", "curve", "validation")},
    }


def is_of(result, trial):
    """Whether a result is of this trial: one that the page has trained counts too."""
    same = all(result[name] == trial[name] for name in ("method", "value", "lr"))
    return same and result.get("repeat", 0) == trial["repeat"]


class Results:
    """The file of results, written anew whenever a trial has finished: a kill in between leaves the one before."""

    def __init__(self, path):
        self.path = path
        self.kept = {"format": FORMAT, "version": 1, "sweep": {**RECORD, "results": [], "when": 0}, "runs": []}
        if not path.exists():
            return
        try:
            kept = json.loads(path.read_text())
            known = kept["format"] == FORMAT and kept["version"] == 1 and isinstance(kept["sweep"]["results"], list)
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{path} holds no results of a sweep ({error!r}): name another file with --result, or move it away.") from error
        if not known:
            raise SystemExit(f"{path} holds results of another version: name another file with --result, or save the script anew.")
        if kept["sweep"]["key"] != RECORD["key"]:
            raise SystemExit(f"{path} holds results of another sweep, on other data or with other settings: name another file with --result.")
        self.kept = kept

    def finished(self, trial):
        return any(is_of(result, trial) for result in self.kept["sweep"]["results"])

    def add(self, trial, outcome):
        when = int(time.time() * 1000)
        swept = swept_run(trial, outcome)
        sweep = self.kept["sweep"]
        sweep["results"].append(swept)
        sweep["when"] = when
        if sweep["baseLoss"] is None and swept["validation"] and swept["validation"][0]["step"] == 0:
            sweep["baseLoss"] = swept["validation"][0]["loss"]
        self.kept["runs"].append(run_record(trial, swept, when))
        part = self.path.with_name(self.path.name + ".part")
        part.write_text(json.dumps(self.kept))
        part.replace(self.path)
        return swept
