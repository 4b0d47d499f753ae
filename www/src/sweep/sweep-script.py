"""A sweep of riemann-lora's page, with transformers and PEFT, on Ray where it is installed.

    pip install torch transformers accelerate "peft>=0.21" ray    # and pyarrow for a parquet file
    python sweep.py DATA                             # all processors or GPUs of this machine
    python sweep.py DATA --address HOST:6379         # a cluster of Ray, on which these packages are installed
    python sweep.py DATA --one-by-one                # without Ray, one trial after the other

Trials, seeds, examples and their order are those of the page, and so are losses, but for rounding (not with dropout, nor
with layers that PEFT adapts as a whole and the page in parts). What has finished is kept in RESULT: the same command goes
on from there, and Open results in the page's Sweep and Runs tabs shows it. On a cluster, BASE is an id on the hub or a
folder that all machines see; examples are read here, and sent.
"""

import argparse
import socket
import time
import warnings

# TRAINING

# RESULTS

class Dead(Exception):
    """Why a trial came to no end."""


def words_of(outcome):
    if outcome["divergedAt"]:
        return f"diverged at step {outcome['divergedAt']}"
    return f"validation loss {outcome['validationLoss']:.4f}"


def train_trial(trial, arguments, batches, held_out, threads):
    if threads:
        torch.set_num_threads(threads)
    warnings.filterwarnings("ignore", category=FutureWarning)
    return train(trial, arguments, batches, held_out, ready_accelerator(), lambda words: None)


def one_by_one(trials, arguments, batches, held_out):
    """Trials with what came of them, one after the other, in this process."""
    for trial in trials:
        try:
            yield trial, train_trial(trial, arguments, batches, held_out, None)
        except Exception as error:  # Whatever it dies of, the others can be trained.
            yield trial, Dead(f"{type(error).__name__}: {error}")


def ray_for(arguments):
    """Ray, or None where trials are trained without it."""
    if arguments.one_by_one:
        return None
    # Its parts wait for each other for half a minute and a minute, which is too short for a machine that is busy.
    for name, wait in [("USAGE_STATS_ENABLED", "0"), ("raylet_start_wait_time_s", "300"), ("agent_register_timeout_ms", "300000")]:
        os.environ.setdefault(f"RAY_{name}", wait)
    try:
        import ray
    except ImportError as error:
        if arguments.address is not None:
            raise SystemExit(f"Ray is not installed ({error}), and only Ray reaches {arguments.address}: pip install ray, or leave --address out.") from error
        print("Ray is not installed: one trial after the other.", flush=True)
        return None
    if arguments.address is not None:
        check_address(arguments.address)
    return ray


def check_address(address):
    """Whether somebody listens there: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address in ("auto", "local"):
        return
    if not host or not port.isdigit():
        raise SystemExit(f"{address} is no address of a cluster: it is HOST:6379, ray://HOST:10001, or auto for the one on this machine.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise SystemExit(f"No Ray cluster answers at {address} ({error}). Start one there with `ray start --head`, or leave --address out to train on this machine.") from error


def connected(ray, arguments):
    options = {"include_dashboard": False} if arguments.address is None else {"address": arguments.address}
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", **options)
    except Exception as error:  # Of many kinds, plain ones among them.
        place = "on this machine" if arguments.address is None else f"at {arguments.address}"
        raise SystemExit(f"Ray does not start {place}: {error}. Look whether `ray status` finds a cluster there, or train with --one-by-one.") from error


def resources_of(ray, arguments):
    """Processors and GPUs of a trial; refused where no machine has so many, because Ray would wait for one."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    has_gpu = any(machine.get("GPU", 0) >= 1 for machine in machines)
    cpus, gpus = arguments.cpus, (1 if has_gpu else 0) if arguments.gpus is None else arguments.gpus
    if not any(machine.get("CPU", 0) >= cpus and machine.get("GPU", 0) >= gpus for machine in machines):
        found = "; ".join(f"{machine.get('CPU', 0):g} CPUs, {machine.get('GPU', 0):g} GPUs" for machine in machines)
        raise SystemExit(f"A trial is to have {cpus:g} CPUs and {gpus:g} GPUs, and the machines have {found}: lower --cpus or --gpus.")
    return cpus, gpus


def on_ray(ray, trials, arguments, batches, held_out):
    """Trials with what came of them, as they finish, as many at once as there is room for."""
    connected(ray, arguments)
    cpus, gpus = resources_of(ray, arguments)
    # Once is enough: a trial that kills its machine would kill the next one too. The same command tries it again.
    remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(train_trial)
    shared = [ray.put(value) for value in (arguments, batches, held_out)]
    threads = None if gpus else max(1, int(cpus))
    running = {remote.remote(trial, *shared, threads): trial for trial in trials}
    while running:
        [done], _ = ray.wait(list(running), num_returns=1)
        trial = running.pop(done)
        try:
            yield trial, ray.get(done)
        except ray.exceptions.RayTaskError as error:
            yield trial, Dead(f"{type(error.cause).__name__}: {error.cause}" if error.cause else str(error).strip().splitlines()[-1])
        except ray.exceptions.RayError as error:
            yield trial, Dead(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_shared_arguments(parser)
    parser.add_argument("--result", type=pathlib.Path, default=pathlib.Path("sweep-results.json"), help="where results are kept, and taken up from")
    parser.add_argument("--address", help="of a cluster of Ray: HOST:6379, ray://HOST:10001, or auto")
    parser.add_argument("--cpus", type=float, default=1, help="processors of a trial")
    parser.add_argument("--gpus", type=float, help="GPUs of a trial; without it, one where there are some")
    parser.add_argument("--one-by-one", action="store_true", help="without Ray")
    arguments = parser.parse_args()
    if CONTEXT["start"] is not None and not arguments.adapter:
        raise SystemExit(f"The sweep starts from the adapter {CONTEXT['start']}: give its folder with --adapter.")
    # Trials start in other folders, and on other machines.
    for name in ("base", "adapter"):
        folder = getattr(arguments, name)
        if folder and pathlib.Path(folder).is_dir():
            setattr(arguments, name, str(pathlib.Path(folder).resolve()))
    results = Results(arguments.result)
    wanted = [trial for trial in TRIALS if "skipped" not in trial]
    for name in dict.fromkeys(f"{trial['name']}: {trial['skipped']}" for trial in TRIALS if "skipped" in trial):
        print(f"Left out is {name}.")
    trials = [trial for trial in wanted if not results.finished(trial)]
    print(f"{len(wanted)} trials, of which {len(wanted) - len(trials)} have finished before.", flush=True)
    if not trials:
        return
    ray = ray_for(arguments)
    batches, held_out = file_batches(arguments)
    if not held_out:
        raise SystemExit("No examples are held out, and a sweep is judged by them: raise validation in DATA_SETTINGS, or give a file with --validation.")
    outcomes = one_by_one(trials, arguments, batches, held_out) if ray is None else on_ray(ray, trials, arguments, batches, held_out)
    died = []
    try:
        for done, (trial, outcome) in enumerate(outcomes, 1):
            if isinstance(outcome, Dead):
                died.append(trial["name"])
                print(f"{done} of {len(trials)}: {trial['name']} has died ({outcome}). The others go on.", flush=True)
                continue
            swept = results.add(trial, outcome)
            print(f"{done} of {len(trials)}: {trial['name']}, {words_of(swept)}", flush=True)
    except KeyboardInterrupt:
        raise SystemExit(f"\nStopped. What has finished is in {arguments.result}; the same command goes on.") from None
    if died:
        raise SystemExit(f"{len(died)} of {len(trials)} trials have died: {', '.join(died)}. The same command tries them again; where memory was short, give each more of the machine (--cpus 2 trains half as many at once), or lower BATCH_SIZE.")
    print(f"All trials are in {arguments.result}: open it in the page's Sweep or Runs tab.")


if __name__ == "__main__":
    main()
